"""MT5's export: line ends, empty fields, columns by name, odd rows."""

import pytest

from adapters.files.detect import open_file
from core.errors import InputError
from tests.unit.adapters.files.tick_files import whole, written

HEADER = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n"
OPTIONS = {"source": "broker", "tz": "UTC"}
NAME = "EURUSD_202211100000_202211102359.csv"


def read(tmp_path, text, **options):
    return whole(open_file(written(tmp_path / NAME, text), **{**OPTIONS, **options}))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last_end", [True, False])
def test_line_ends_make_no_difference(tmp_path, end, last_end):
    row = "2022.11.10\t15:00:00.017\t0.86682\t0.86712\t\t\t6\n"
    text = (HEADER + row * 3).replace("\n", end)
    result = read(tmp_path, text if last_end else text[: -len(end)])
    assert result.ticks["ask"].tolist() == [0.86712] * 3
    assert result.ticks["flags"].tolist() == [6] * 3
    assert result.refused == []


def test_empty_prices_are_carried_forward_and_empty_volume_is_none(tmp_path):
    rows = (
        "2022.11.10\t15:00:00.001\t\t1.2\t\t\t4\n"
        "2022.11.10\t15:00:00.002\t1.1\t\t\t\t2\n"
        "2022.11.10\t15:00:00.003\t\t1.3\t1.25\t2\t28\n"
        "2022.11.10\t15:00:00.004\t1.2\t\t\t\t2\n"
    )
    ticks = read(tmp_path, HEADER + rows).ticks
    assert ticks["bid"].tolist() == [0.0, 1.1, 1.1, 1.2]
    assert ticks["ask"].tolist() == [1.2, 1.2, 1.3, 1.3]
    assert ticks["last"].tolist() == [0.0, 0.0, 1.25, 1.25]
    assert ticks["volume_real"].tolist() == [0.0, 0.0, 2.0, 0.0]
    assert ticks["volume"].tolist() == [0, 0, 2, 0]


def test_carrying_forward_crosses_blocks(tmp_path, monkeypatch):
    rows = ["2022.11.10\t15:00:00.001\t1.1\t1.2\t\t\t6\n"]
    rows += [f"2022.11.10\t15:00:01.{i % 1000:03}\t\t\t\t\t0\n" for i in range(500)]
    monkeypatch.setattr("adapters.files.delimited.BLOCK_BYTES", 1000)
    ticks = read(tmp_path, HEADER + "".join(rows)).ticks
    assert len(ticks) == 501
    assert set(ticks["bid"].tolist()) == {1.1}


def test_columns_are_found_by_name(tmp_path):
    text = (
        "<DATE>\t<TIME>\t<ASK>\t<BID>\t<FLAGS>\t<LAST>\t<VOLUME>\n"
        "2022.11.10\t15:00:00\t1.2\t1.1\t6\t\t\n"
    )
    ticks = read(tmp_path, text).ticks
    assert ticks[["time_msc", "bid", "ask", "flags"]].tolist() == [(1_668_092_400_000, 1.1, 1.2, 6)]


def test_symbol_comes_from_the_name_the_terminal_proposes(tmp_path):
    path = written(tmp_path / NAME, HEADER)
    assert open_file(path, **OPTIONS).symbol == "EURUSD"


@pytest.mark.parametrize("column", ["<ASK>", "<FLAGS>", "<TIME>"])
def test_a_missing_column_is_named(tmp_path, column):
    header = HEADER.replace(f"\t{column}", "")
    with pytest.raises(InputError, match=rf"{NAME}, row 1: column {column} is missing"):
        read(tmp_path, header + "2022.11.10\t15:00:00.017\t0.86682\t0.86712\t\t6\n")


def test_unreadable_rows_are_handed_back_with_their_numbers(tmp_path):
    good = "2022.11.10\t15:00:00.017\t0.86682\t0.86712\t\t\t6\n"
    rows = [
        good,
        "2022.11.31\t15:00:00.017\t0.86682\t0.86712\t\t\t6\n",
        "\n",
        "2022.11.10\t24:00:00.017\t0.86682\t0.86712\t\t\t6\n",
        "2022.11.10\t15:00:00.017\tabc\t0.86712\t\t\t6\n",
        "2022.11.10\t15:00\n",
        good,
    ]
    result = read(tmp_path, HEADER + "".join(rows))
    assert result.rows.tolist() == [2, 8]
    assert [(r.row, r.reason) for r in result.refused] == [(n, "unparseable") for n in (3, 5, 6, 7)]
    assert result.refused[3].raw == "2022.11.10\t15:00"
