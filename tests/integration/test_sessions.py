"""Every start is a session: a decision is explained by what held at its own, or it says why not."""

import argparse
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit.export import export
from audit.stored import stored_account
from audit.streams import problem_in_chain
from cli.commands import explain, sessions
from cli.main import main
from core import session_note
from core.errors import InputError, SettingsError
from core.fingerprint import fingerprint, versions
from core.home_users import SETUP, sign_in
from core.secrets import NAMES
from core.sections import AlertSettings, BusSettings
from core.settings import Settings
from models.serving.registry import Registry
from streams.explain import facts
from streams.explain import reproduction as reproductions
from tests.support.life import LEAN, Feed, Life, model_of, of_day
from tests.support.recordings import recorded_ticks
from tests.support.warehouse_server import Warehouse

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="models")]

DAY_US = 86_400_000_000
LIMITS = 'version = "{}"\n[limits]\nmax_lots = {}\n'


def some(day: int, ticks: int = 2_500) -> Feed:
    return Feed("oanda", "EURUSD", of_day(recorded_ticks("EURUSD_oanda"), day, ticks))


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    """Five sessions that differ in all that decides, and a hundred starts after them."""
    server = Warehouse(tmp_path_factory.mktemp("home"))
    server.start()
    try:
        yield lived(Life(server.home, server))
    finally:
        server.stop()


def lived(life: Life) -> Life:
    registry = Registry(life.home / "models")
    life.own("beside", "BEYOND = 0.6\n")
    imported = LEAN.replace("import numpy as np", "import beside\nimport numpy as np")
    life.own("lean", imported.format(horizon=60.0, beyond="beside.BEYOND"))
    life.start(20 * DAY_US, run={"strategy": "lean"})
    life.trade(some(0))
    life.stop()
    life.own("beside", "BEYOND = 0.1  # decides nothing any more\n")
    life.own("lean", LEAN.format(horizon=90.0, beyond=0.4))
    (life.home / "limits.toml").write_text(LIMITS.format("first", 0.5))
    life.start(
        21 * DAY_US, signals={"stop_spreads": 11.0, "expiry_s": 7.0}, features={"sample_ms": 2500}
    )
    life.trade(some(1))
    life.stop()
    life.start(20 * DAY_US, run={"strategy": "breakout"}, features={"sample_ms": 0})  # a day back
    life.trade(some(2))
    eager = {"threshold": 0.35, "min_agreement": 0.0, "slippage_bp": 0.0, "new_champion_share": 0.3}
    for day in (4, 5):  # the start before has not written its end
        model = model_of([some(one).ticks for one in range(6)], seed=day)
        registry.save(model)
        registry.promote(model.card.sha256, "ann")
        life.start(
            (19 + day) * DAY_US,
            run={"strategy": "model"},
            features={"sample_ms": 1000},
            signals=eager,
        )
        life.trade(some(day))
        life.stop()
    life.own("lean", LEAN.format(horizon=30.0, beyond=0.2))
    (life.home / "limits.toml").write_text(LIMITS.format("second", 0.7))
    for number in range(100):
        life.start(
            (30 + number) * DAY_US,
            run={"strategy": "lean"},
            signals={"threshold": 0.3 + number / 1000},
        )
        life.stop()
    return life


def by_session(life: Life) -> dict[str, list[Any]]:
    named: dict[str, list[Any]] = {}
    for signal in life.decided:
        named.setdefault(signal.session_id, []).append(signal)
    return named


def account_of(life: Life, decision: str, *words: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    explain.add_arguments(parser)
    with tempfile.TemporaryDirectory() as scratch:
        return explain._of_warehouse(
            parser.parse_args([decision, *words]), life.settings, Path(scratch)
        )


def test_old_decisions_are_explained_a_hundred_restarts_later(life):
    named = by_session(life)
    assert len(named) == 5, {name: len(signals) for name, signals in named.items()}
    assert min(map(len, named.values())) > 2
    for name, signals in named.items():
        for signal in (*signals[:2], signals[-1]):
            account = account_of(life, signal.signal_id)
            assert account["same"], (name, account["verdict"], account["parts"])
            assert account["session"]["session_id"] == name
            assert {event["session_id"] for event in account["orders"]} == {name}
    models = {s.model for s in life.decided if s.strategy == "model"}
    assert len(models) == 2


def test_predictions_name_their_session(life):
    rows = life.client.query(
        "SELECT DISTINCT session_id FROM prediction FINAL ORDER BY session_id"
    ).result_rows
    assert [row[0] for row in rows] == sorted(by_session(life))[3:]


def test_settings_limits_and_strategies_are_kept_once(life):
    rows = life.client.query(
        "SELECT kind, count() FROM content FINAL GROUP BY kind ORDER BY kind"
    ).result_rows
    assert rows == [("limits", 2), ("settings", 104), ("strategy", 3)]


def test_a_clock_that_went_back_does_not_change_their_order(life, capsys):
    rows = life.client.query(
        "SELECT number, toUnixTimestamp64Micro(ts_start) FROM session FINAL ORDER BY number"
    ).result_rows
    assert [row[0] for row in rows] == list(range(1, 106))
    starts = [row[1] for row in rows]
    assert starts[2] < starts[1]
    assert starts[2] == starts[0]


def test_a_start_whose_end_was_never_written_is_told(life, monkeypatch, capsys):
    monkeypatch.setenv("TICKHOUSE_HOME", str(life.home))
    assert main(["sessions", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["sessions"]
    assert [one["number"] for one in listed] == list(range(1, 106))
    status = {one["number"]: one["status"] for one in listed}
    assert status.pop(3) == sessions.CUT_OFF
    assert set(status.values()) == {"ended"}
    assert listed[2]["ended"] is None
    assert listed[1]["limits_version"].startswith("first+")
    assert main(["sessions"]) == 0
    assert "end never written" in capsys.readouterr().out


def test_a_bundle_carries_its_session(life, tmp_path):
    signal = by_session(life)[sorted(by_session(life))[0]][0]
    file = tmp_path / "decision.zip"
    sealed = account_of(life, signal.signal_id, "--bundle", str(file))
    parser = argparse.ArgumentParser()
    explain.add_arguments(parser)
    given = parser.parse_args(["--verify", str(file), "--seal", sealed["seal"]])
    opened = explain._of_file(given, tmp_path / "out")
    assert opened["same"]
    assert opened["session"] == sealed["session"]


@pytest.mark.parametrize(
    ("session", "take", "says"),
    [
        (0, "DELETE FROM session WHERE session_id = '{session}'", "has no row in table session"),
        (0, "DELETE FROM content WHERE kind = 'strategy'", "strategy of its session .* not in"),
        (1, "DELETE FROM content WHERE kind = 'settings'", "settings of its session .* not in"),
        (1, "ALTER TABLE content UPDATE body = concat(body, ' ') WHERE 1"
            " SETTINGS mutations_sync = 2", "was CHANGED in table content"),
    ],
)  # fmt: skip
def test_what_is_missing_in_the_warehouse_is_named(life, session, take, says):
    name = sorted(by_session(life))[session]
    signal = by_session(life)[name][0]
    with life.put_back("session", "content"):
        life.client.command(take.format(session=name))
        with pytest.raises(InputError, match=says) as refused:
            account_of(life, signal.signal_id)
        assert "tickhouse restore" in str(refused.value)
    assert account_of(life, signal.signal_id)["same"]


def test_a_row_that_a_later_session_wrote_over_is_named(life):
    """A kill of everything, then a start with other settings: it decides the last seconds again."""
    earlier, later = sorted(by_session(life))[:2]
    signal = by_session(life)[earlier][0]
    with life.put_back("signal"):
        life.client.command(
            f"ALTER TABLE signal UPDATE session_id = '{later}' WHERE signal_id ="
            f" '{signal.signal_id}' SETTINGS mutations_sync = 2"
        )
        with pytest.raises(InputError, match=f"session {earlier} decided it and was killed"):
            account_of(life, signal.signal_id)


def test_the_journals_chain_holds_over_all_sessions_in_the_warehouse_too(life):
    events = list(stored_account(life.client, life.settings.run.account))
    assert len({event.session_id for event in events}) == 5
    for before, event in itertools.pairwise([None, *events]):
        assert problem_in_chain(event, before) == ""


@pytest.mark.parametrize("suffix", [".model", ".json", ".onnx"])
def test_a_model_file_that_is_gone_is_named(life, suffix):
    signal = next(s for s in life.decided if s.strategy == "model")
    gone = [
        path
        for path in (life.home / "models").glob(f"*{suffix}")
        if suffix == ".onnx" or path.stem == signal.model
    ]
    for path in gone:
        path.rename(path.with_suffix(".away"))
    try:
        with pytest.raises(InputError, match=f"model {signal.model} cannot be used.*models/"):
            account_of(life, signal.signal_id)
    finally:
        for path in gone:
            path.with_suffix(".away").rename(path)


def test_another_feature_set_names_the_version_that_made_it(life, monkeypatch):
    monkeypatch.setattr(facts, "FEATURE_SET_HASH", "0123456789abcdef")
    with pytest.raises(InputError, match=rf"with Tickhouse {versions()['tickhouse']}, which made"):
        account_of(life, life.decided[0].signal_id)


def test_another_library_is_named_where_the_bits_differ(life, monkeypatch):
    signal = life.decided[0]
    monkeypatch.setattr(reproductions, "fingerprint", lambda: {**fingerprint(), "numpy": "9.9"})
    assert account_of(life, signal.signal_id)["same"]  # the bits decide, not the names
    life.client.command(
        f"ALTER TABLE signal UPDATE stop_price = stop_price + 1 WHERE signal_id ="
        f" '{signal.signal_id}' SETTINGS mutations_sync = 2"
    )
    account = account_of(life, signal.signal_id)
    assert not account["same"]
    assert account["elsewhere"]["numpy"][1] == "9.9"
    assert "version (numpy): nothing is claimed" in account["verdict"]
    life.client.command(
        f"ALTER TABLE signal UPDATE stop_price = stop_price - 1 WHERE signal_id ="
        f" '{signal.signal_id}' SETTINGS mutations_sync = 2"
    )


def test_a_process_started_again_does_not_decide_under_a_name_that_is_not_its_own(life):
    settings = life.settings
    assert session_note.joined(settings) == settings
    nameless = msgspec.structs.replace(
        settings, run=msgspec.structs.replace(settings.run, session_id="")
    )
    assert session_note.joined(nameless).run.session_id == settings.run.session_id
    replay = msgspec.structs.replace(
        nameless, run=msgspec.structs.replace(nameless.run, mode="replay")
    )
    assert session_note.joined(replay).run.session_id == ""
    note = session_note.read(life.home)
    assert note is not None
    session_note.check(settings, note.strategy_hash)
    with pytest.raises(SettingsError, match="strategy lean was changed since session"):
        session_note.check(settings, "0" * 64)
    other = msgspec.structs.replace(settings.signals, threshold=0.9)
    with pytest.raises(SettingsError, match="settings of features, signals, exits differ"):
        session_note.check(msgspec.structs.replace(settings, signals=other), note.strategy_hash)


def test_limits_that_are_installed_while_it_runs_are_found_by_their_version(
    life, monkeypatch, tmp_path
):
    file = tmp_path / "limits.toml"
    file.write_text(LIMITS.format("third", 0.9))
    monkeypatch.setenv("TICKHOUSE_HOME", str(life.home))
    assert main(["limits", "install", str(file), "--by", "ann"]) == 0
    export(life.client, sign_in(life.settings.clickhouse, SETUP), life.home)
    rows = life.client.query(
        "SELECT DISTINCT extract(version, '[a-z]+'), body, author, session_id = '' FROM limits_book"
        " WHERE body != '' ORDER BY ts_since"
    ).result_rows
    assert [row[0] for row in rows] == ["first", "second", "third"]
    assert rows[2][1:] == (file.read_text(), "ann", 0)


def test_no_secret_reaches_a_row(life):
    marked = {name: f"s3cr3t-{name}" for name in NAMES}
    secret = Settings(
        home=str(life.home), run=life.settings.run, clickhouse=life.settings.clickhouse,
        bus=BusSettings(password=marked["password"], token=marked["token"]),
        alerts=AlertSettings(
            webhook=marked["webhook"], smtp_password=marked["smtp_password"],
            telegram_token=marked["telegram_token"],
        ),
    )  # fmt: skip
    kept = [one.body for one in sessions_contents(secret)]
    assert not any(value.encode() in body for value in marked.values() for body in kept)
    fields = {f for one in kept if one.startswith(b"{") for f in _names(msgspec.json.decode(one))}
    assert not fields & NAMES


def sessions_contents(settings: Settings):
    from cli.stack.sessions import contents

    return contents(settings, None)


def _names(value: object) -> set[str]:
    if not isinstance(value, dict):
        return set()
    return set(value) | {name for inner in value.values() for name in _names(inner)}
