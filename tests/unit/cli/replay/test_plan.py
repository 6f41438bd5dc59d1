"""What a replay cannot do is said before anything starts."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.replay import plan
from core.errors import InputError
from core.settings import Settings


def test_a_file_whose_rows_are_of_another_symbol_is_refused_at_once(tmp_path):
    path = tmp_path / "EURUSD_x.parquet"
    columns = {
        "symbol": ["EURUSD", "GBPUSD"],
        "time_msc": [1, 2],
        "bid": [1.0] * 2,
        "ask": [1.0] * 2,
    }
    pq.write_table(pa.table(columns), path)
    options = plan.ReplayOptions((path,), None, None, None, 0.0, "model", "")
    with pytest.raises(InputError, match="'GBPUSD', asked for 'EURUSD'"):
        plan.build(options, Settings(home=str(tmp_path)), tmp_path / "scratch")
