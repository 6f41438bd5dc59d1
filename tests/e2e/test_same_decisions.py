"""One replay with a person's own strategy: a backtest decides the same, and it can be explained."""

import json

import msgspec
import numpy as np
import pytest

from adapters.simulator.markets.recorded import MAX_TICKS
from backtest.job import FeedFile, Job
from backtest.run import run
from cli.main import main
from core import settings
from core.contracts.order import EventKind
from core.contracts.signal import Signal
from core.credentials import directory_of
from core.errors import InputError
from core.home_users import DBT, sign_in
from core.sections import ClickhouseSettings
from execution.journal import journal
from features.catalog import NAMES
from models.serving import artifact
from models.serving.session import ModelSession
from streams.explain import bundle, facts, history, report_rows
from streams.explain.recompute import Material, recompute
from streams.explain.reproduction import compare
from streams.snapshots import HOUR_MSC
from tests.e2e.replay_runs import cut, environment, replay, warehouse_on
from tests.support import new_home
from tests.support.compliance import dbt

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival")]

NAMED_BY_RUN = (
    "mode", "run_id", "account", "signal_id", "prediction_id", "order_id", "event_id", "hash",
    "previous_hash",
)  # fmt: skip
FILLS = (EventKind.FILLED, EventKind.PARTIALLY_FILLED, EventKind.CLOSED)

STRATEGY = '''
"""Follows the model where it leans, unless the market is stretched."""

import numpy as np

from features.catalog import NAMES
from strategies.protocol import Targets


class Lean:
    name = "lean"
    needs_model = False  # else a model that expects too little lets nothing through

    def __init__(self, settings):
        self.horizon_s = 120.0

    def targets(self, rows, probabilities):
        if probabilities is None:
            return Targets(np.zeros(len(rows), np.int8), np.zeros(len(rows)))
        lean = probabilities[:, 2] - probabilities[:, 0]
        calm = np.abs(rows[:, NAMES.index("bollinger_position")] - 0.5) < 0.6
        return Targets(np.sign(lean) * (np.abs(lean) > 0.05) * calm, np.abs(lean))
'''


@pytest.fixture(scope="module")
def replayed(recordings, tmp_path_factory):
    """Home, files and result of a replay over two feeds, the model trained on its first part."""
    folder = tmp_path_factory.mktemp("ticks")
    home = new_home.for_replay(tmp_path_factory.mktemp("home"))
    plug_in = folder / "lean.py"
    plug_in.write_text(STRATEGY)
    files = [
        cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 52_000, 30_000),
        cut(recordings / "ticks" / "XAUUSD_oanda.parquet", folder, 250_000, 60_000),
    ]
    arguments = [*map(str, files), "--strategy", str(plug_in), "--train-first", "0.4"]
    return home, files, replay(home, arguments, TICKHOUSE_MODELS__MEMBERS="xgboost,linear")


@pytest.fixture(scope="module")
def backtested(replayed):
    """The same span in one process, under a run id of its own, as whoever types it gets one."""
    home, files, result = replayed
    chosen = settings.load(environment(home))
    run_id = result["run_id"]
    named = msgspec.structs.replace(
        chosen.run, run_id="own", mode="backtest", account="own", strategy="lean"
    )
    feeds = tuple(FeedFile(str(f), f.stem.split("_")[1], f.stem.split("_")[0]) for f in files)
    plan = json.loads((home / "runs" / run_id / "plan.json").read_text())
    assert plan["max_ticks"] == MAX_TICKS
    job = Job(
        "all", msgspec.structs.replace(chosen, run=named), feeds,
        tuple((f.source, f.symbol) for f in feeds), plan["cut_msc"] + 1, model=result["model"],
    )  # fmt: skip
    return run(job)


def test_a_backtest_gives_the_signals_of_a_replay(replayed, backtested):
    home, _, result = replayed
    records = journal.read(home / "runs" / result["run_id"] / "journal")
    live = [place.record for place in records if isinstance(place.record, Signal)]
    assert len(live) == result["signals"] > 20
    assert [without_names(s) for s in backtested.signals] == [without_names(s) for s in live]


def test_a_backtest_gives_the_orders_and_fills_of_a_replay(replayed, backtested):
    home, _, result = replayed
    live = list(journal.events(home / "runs" / result["run_id"] / "journal"))
    assert len(live) > 100
    assert [without_names(e) for e in backtested.events] == [without_names(e) for e in live]
    booked = sum(e.profit + e.commission + e.swap for e in live if e.kind in FILLS)
    assert booked == pytest.approx(result["profit_after_costs"])


def without_names(record):
    """All of a record but what says where it ran, and the ids and the chain that follow from it."""
    same = {name: "" for name in NAMED_BY_RUN if name in record.__struct_fields__}
    return msgspec.structs.replace(record, **same)


@pytest.fixture(scope="module")
def explained(replayed):
    """Facts and ticks of some decisions of the replay, by what each was asked for."""
    home, _, result = replayed
    events = list(journal.events(home / "runs" / result["run_id"] / "journal"))
    fill = next(e for e in events if e.kind is EventKind.FILLED)
    names = sorted({e.signal_id for e in events})[:3]
    with warehouse_on(home) as client:
        decisions = [
            facts.find(client, name)
            for name in (*names, fill.order_id, fill.event_id, str(fill.venue_deal))
        ]
        assert {f.signal.signal_id for f in decisions[-3:]} == {fill.signal_id}
        numbered = (str(fill.venue_order), str(fill.venue_position), fill.hash)
        assert {facts.find(client, name).signal.signal_id for name in numbered} == {fill.signal_id}
        with pytest.raises(InputError, match="no signal, order, event or deal has this id"):
            facts.find(client, "0" * 32)
        decisions[1] = facts.find(client, names[1], from_start=True)
        return [(one, history.read(client, one).at(history.NOW)) for one in decisions[:-2]]


def test_decisions_are_recomputed_bit_for_bit_from_stored_ticks(replayed, explained):
    home, _, result = replayed
    assert len(explained) > 3
    for stored, ticks in explained:
        now = recompute(stored, material(home, result, ticks))
        comparison = compare(stored, now)
        assert comparison.same, comparison.text
        assert comparison.elsewhere == {}
        assert [part.name for part in comparison.parts] == [
            "features", "probabilities", "strategy", "signal",
        ]  # fmt: skip


def test_the_kernels_hour_saves_the_ticks_before_it(replayed, explained):
    """Every other decision starts at a snapshot; the one told to starts with the run."""
    home, _, result = replayed
    started = [bool(stored.hour.state) for stored, _ in explained]
    assert not started[1]
    assert started[:1] + started[2:] == [True] * (len(started) - 1)
    for stored, ticks in explained:
        first = min(int(part["time_msc"][0]) for part in ticks.values() if len(part))
        begun = min(feed.time_us for feed in stored.feeds) // 1000
        assert first == begun if not stored.hour.state else first > begun
        assert stored.hour.hour_us % (HOUR_MSC * 1000) == 0
        assert stored.hour.hour_us < stored.signal.ts_event_us
    with warehouse_on(home) as client:
        named = explained[1][0].signal.signal_id
        short = facts.find(client, named)
        ticks = history.read(client, short).at(history.NOW)
    ahead = recompute(short, material(home, result, ticks))
    whole = recompute(explained[1][0], material(home, result, explained[1][1]))
    assert ahead.features.tobytes() == whole.features.tobytes()
    assert ahead.signal == whole.signal
    assert ahead.ticks < whole.ticks


def test_a_reports_row_leads_back_to_its_decision(replayed, tmp_path, monkeypatch, capsys):
    """From a transaction reference, as the report shows it, to the recomputed decision, sealed."""
    home, _, _ = replayed
    with warehouse_on(home) as client:
        url = client.uri
        monkeypatch.setenv("TICKHOUSE_HOME", str(home))
        known = ClickhouseSettings(url=url, credentials=str(directory_of(home)))
        marts = ["+rpt_rts22_transaction", "+rpt_order_record"]
        dbt(sign_in(known, DBT), tmp_path, "run", "--select", *marts, mode="replay")
        rows = client.query(
            "SELECT trade_id, signal_id, order_id, toString(venue_deal)"
            " FROM tickhouse_marts_replay.rpt_rts22_transaction ORDER BY ts_trade, trade_id"
        ).result_rows
        assert len(rows) > 20
        reference, signal_id, order_id, _ = rows[3]
        file = tmp_path / "rts22.csv"
        lines = ["f02_transaction_reference,f30_quantity", f"{reference},0.1"]
        file.write_text("\n".join(lines))
        for name in (reference, f"{file}:1", order_id):
            sealed = tmp_path / f"{name[-4:]}.zip".replace(":", "")
            assert main(["explain", name, "--json", "--bundle", str(sealed)]) == 0
            report = json.loads(capsys.readouterr().out)
            assert (report["signal"]["signal_id"], report["same"]) == (signal_id, True)
            assert (
                main(["explain", "--verify", str(sealed), "--seal", report["seal"], "--json"]) == 0
            )
            capsys.readouterr()
        by_hand = (
            "INSERT INTO tickhouse_marts_replay.rpt_rts22_transaction (trade_id) VALUES ('TH0')"
        )
        client.command(by_hand)
        with pytest.raises(InputError, match="no signal of ours led"):
            facts.find(client, "TH0")
    with pytest.raises(InputError, match="has rows 1 to 1, not 2"):
        report_rows.id_in_file(f"{file}:2")


def test_contributions_and_bias_add_up_to_the_log_odds(replayed, explained):
    home, _, result = replayed
    stored, ticks = explained[0]
    now = recompute(stored, material(home, result, ticks))
    trees, linear = now.members
    assert trees.weight + linear.weight == pytest.approx(1.0)
    assert linear.contributions is None
    model = artifact.load(home / "models", result["model"])
    own = np.empty((1, 3), np.float32)
    ModelSession(model.members[trees.name]).predict(now.features[None], own)
    odds = np.exp(trees.contributions.astype(np.float64).sum(axis=1))
    assert odds / odds.sum() == pytest.approx(own[0], abs=1e-5)


def test_a_changed_tick_is_told_apart(replayed, explained):
    home, _, result = replayed
    stored, ticks = explained[0]
    symbol = stored.signal.symbol
    changed = ticks[symbol].copy()
    changed["bid"][-2] += 0.0001
    now = recompute(stored, material(home, result, {**ticks, symbol: changed}))
    comparison = compare(stored, now)
    assert not comparison.same
    assert "features" in comparison.text
    assert "must not happen" in comparison.text


def test_a_bundle_recomputes_without_home_or_warehouse(
    replayed, explained, tmp_path, monkeypatch, capsys
):
    home, _, result = replayed
    stored, ticks = explained[0]
    file = tmp_path / "decision.zip"
    seal = bundle.write(file, stored, material(home, result, ticks))
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "nowhere"))
    assert main(["explain", "--verify", str(file), "--json", "--seal", seal]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["same"], report["seal"]) == (True, seal)
    assert report["signal"]["signal_id"] == stored.signal.signal_id
    assert report["members"][0]["contributions"]["up"].keys() == {*NAMES, "bias"}
    again = bundle.write(tmp_path / "again.zip", stored, material(home, result, ticks))
    assert again == seal, "the same decision gives the same file"


def material(home, result, ticks):
    """What recomputing needs, from the home that decided."""
    return Material(ticks, artifact.load(home / "models", result["model"]), home / "strategies")
