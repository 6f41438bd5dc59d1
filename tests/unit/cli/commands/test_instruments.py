"""Instruments of one's own: taken whole or not at all, known to every process of the home."""

from datetime import date

import pytest

from adapters.files.detect import open_file
from cli.main import main
from core import instruments
from tests.unit.adapters.files.tick_files import written

MINE = """
[[instrument]]
symbol = "FOOUSD"
valid_from = 2020-01-01
description = "Foo \\"the coin\\""
digits = 3
contract_size = 10.0
base = "FOO"
quote = "USD"
volume_min = 0.1
volume_max = 50.0
volume_step = 0.1
margin_rate = 0.2
commission = 0.0
swap_long = 0.0
swap_short = 0.0
session = "always"
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    instruments.use_home(tmp_path / "none")


def test_an_added_instrument_is_known_to_the_next_command(home, capsys):
    assert main(["instruments", "add", str(written(home / "mine.toml", MINE))]) == 0
    assert main(["instruments"]) == 0
    assert "this home" in capsys.readouterr().out
    (entry,) = instruments.known()["FOOUSD"]
    assert (entry.description, entry.valid_from) == ('Foo "the coin"', date(2020, 1, 1))
    text = "timestamp,bid,ask\n2020-02-01T00:00:00Z,1,2\n"
    assert open_file(written(home / "foousd.csv", text), source="s").symbol == "FOOUSD"


def test_an_entry_of_one_s_own_wins_from_its_day_and_shipped_ones_stay(home):
    mine = MINE.replace("FOOUSD", "EURUSD").replace("digits = 3", "digits = 4")
    main(["instruments", "add", str(written(home / "mine.toml", mine))])
    day = 86_400_000_000
    assert instruments.instrument("EURUSD", 18_300 * day).digits == 4  # February 2020
    assert instruments.instrument("EURUSD", 18_000 * day).digits == 5
    assert "GBPUSD" in instruments.known()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("digits = 3", "digits = 30"), "digits = 30 is not from 0 to 8"),
        (("volume_min = 0.1", "volume_min = 0.01"), "0 < volume_step <= volume_min"),
        (("margin_rate = 0.2", "margin_rate = 20"), "margin_rate <= 1"),
        (("quote = ", "quoted = "), "unknown field"),
        (('session = "always"', 'session = "sometimes"'), "Invalid enum value 'sometimes'"),
    ],
)
def test_what_cannot_be_is_refused_and_the_home_s_file_stays(home, capsys, change, problem):
    main(["instruments", "add", str(written(home / "mine.toml", MINE))])
    before = (home / instruments.OWN_FILE).read_bytes()
    bad = MINE.replace("FOOUSD", "BARUSD").replace(*change)
    assert main(["instruments", "add", str(written(home / "bad.toml", bad))]) == 2
    assert "bad.toml" in (said := " ".join(capsys.readouterr().err.split()))
    assert problem in said
    assert (home / instruments.OWN_FILE).read_bytes() == before


def test_a_damaged_file_of_the_home_names_itself(home, capsys):
    written(home / instruments.OWN_FILE, "[[instrument]\n")
    assert main(["instruments"]) == 2
    assert "instruments.toml" in capsys.readouterr().err
