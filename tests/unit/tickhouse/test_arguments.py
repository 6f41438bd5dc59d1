"""What a person asks for is held against what there is."""

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from core.errors import InputError
from tickhouse import arguments
from tickhouse.result import Result

FEEDS = Result(pa.table({"symbol": ["EURUSD", "EURUSD"], "source": ["fxcm", "oanda"]}))
NOTHING = Result(pa.table({"symbol": [], "source": [], "run_id": []}))


def runs(*names: str) -> Result:
    return Result(pa.table({"run_id": list(names)}))


@pytest.mark.parametrize(
    "time",
    [
        "2014-05-02T12:30:00Z",
        "2014-05-02 12:30",
        datetime(2014, 5, 2, 12, 30),
        datetime(2014, 5, 2, 12, 30, tzinfo=UTC),
        datetime(2014, 5, 2, 14, 30, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_time_is_utc_unless_it_names_a_zone(time):
    assert arguments.time_us(time, 0) == 1_399_033_800_000_000


def test_no_time_is_the_one_that_stands_in():
    assert arguments.time_us(None, arguments.END) == arguments.END


def test_what_is_no_time_is_refused():
    with pytest.raises(InputError, match="2014-05-02T12:30:00Z"):
        arguments.time_us("last week", 0)


def test_a_misspelt_symbol_is_told_with_the_nearest_one():
    with pytest.raises(InputError, match=r"'EURUDS': is not stored; did you mean 'EURUSD'\?"):
        arguments.refuse_unknown_feed(FEEDS, "EURUDS", None)


def test_a_broker_that_does_not_quote_it_is_told_with_those_that_do():
    with pytest.raises(InputError, match=r"stored: EURUSD \(fxcm\), EURUSD \(oanda\)"):
        arguments.refuse_unknown_feed(FEEDS, "EURUSD", "dukascopy")


def test_a_known_feed_may_have_no_rows_in_a_span():
    assert arguments.refuse_unknown_feed(FEEDS, "EURUSD", "oanda") is None


def test_an_empty_warehouse_says_how_ticks_come_in():
    with pytest.raises(InputError, match="tickhouse import"):
        arguments.refuse_unknown_feed(NOTHING, "EURUSD", None)


def test_the_only_run_need_not_be_named():
    assert arguments.run_of(runs("live"), None) == "live"
    assert arguments.run_of(runs("a", "b"), "b") == "b"


def test_of_several_runs_one_is_named_and_exists():
    with pytest.raises(InputError, match="several; name one: a, b"):
        arguments.run_of(runs("a", "b"), None)
    with pytest.raises(InputError, match="'c': is not of this home: a"):
        arguments.run_of(runs("a"), "c")
    with pytest.raises(InputError, match="nothing ran"):
        arguments.run_of(NOTHING, None)
