"""Weeks of a home that lives: every decision of every day explains bit for bit at the end.

Each trading day is a start of its own, under other settings, strategies, models and versions, by a
clock that now and then goes back; past days are corrected in between, ticks withdrawn, others come
in late. What was decided stays as it was, and what was known then is found again. Reports are filed
half-way, signed and sealed, made again at the end, and compared with what was filed.
"""

import random
from collections import Counter
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from cli.main import main
from cli.stack import sessions
from core.clock import SystemClock
from core.fingerprint import versions
from core.home_users import COMMANDS
from models.serving.registry import Registry
from orchestration.restatement import learned, marts, reports
from orchestration.restatement.work import Desk
from tests.support import filing
from tests.support.filing import Filed, Office
from tests.support.life import LEAN, Feed, Life, model_of, of_day
from tests.support.recordings import recorded_ticks
from tests.support.warehouse_server import Warehouse

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="models"), pytest.mark.timeout(600)]

DAYS, TICKS, DAY_US = 12, 900, 86_400_000_000
SAMPLES, FEW = (0, 500, 1000, 2500), 3
#: On this day the daily figures of each feed are filed, and the reports of a day before; what is
#: corrected later restates them.
FILED, REPORTED, QUALITY = 7, 4, "tickhouse_marts_demo.fct_data_quality_daily"
QUICK = ("--select", "+fct_data_quality_daily")
WORLD: dict[str, str | bool] = {"mode": "demo"}
Row = tuple[Any, ...]


class Lived(NamedTuple):
    """A life, and what happened in it."""

    life: Life
    corrected: int  # corrections that were made
    products: list[str]  # version of the product, one after the other
    early: set[str]  # corrections from before the daily mart was filed, on day FILED
    filed: list[Row]  # of that mart then
    restated: list[Row]  # as it is at the end
    office: Office
    reports: list[Filed]  # of day REPORTED, filed then


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    server = Warehouse(tmp_path_factory.mktemp("home"))
    server.start()
    patch = pytest.MonkeyPatch()
    patch.setenv("TICKHOUSE_HOME", str(server.home))
    try:
        server.reached(patch)
        yield _live(server, tmp_path_factory.mktemp("files"), patch, random.Random(17))
    finally:
        patch.undo()
        server.stop()


def of(day: int) -> list[Feed]:
    """Of two symbols; the second one's recording has fewer days."""
    feeds = [
        Feed("oanda", "EURUSD", of_day(recorded_ticks("EURUSD_oanda"), day, TICKS)),
        Feed("oanda", "NZDUSD", of_day(recorded_ticks("NZDUSD_oanda"), day, TICKS)),
    ]
    return [feed for feed in feeds if len(feed.ticks)]


def _live(server: Warehouse, folder: Path, patch: pytest.MonkeyPatch, rng: random.Random) -> Lived:
    life = Life(server.home, server, fills=5)
    settings = replace(life.settings, clickhouse=server.settings_of(COMMANDS))
    desk = Desk(settings, server.client, SystemClock(), "ann")
    registry, corrected, products = Registry(life.home / "models"), 0, list[str]()
    filed, early, reported = list[Row](), set[str](), list[Filed]()
    office = Office(desk, "demo", folder)
    eager = {"threshold": 0.35, "min_agreement": 0.0, "slippage_bp": 0.0}
    for day in range(DAYS):
        if day % 4 == 0:
            model = model_of([of(one)[0].ticks for one in range(day, day + 4)], seed=day)
            registry.save(model)
            registry.promote(model.card.sha256, "ann")
            products.append(f"0.{2 + day // 4}.0")
            patch.setattr(sessions, "versions", _at(products[-1]))
        if day % 3 == 0:
            life.own("lean", LEAN.format(horizon=30.0 * (1 + day), beyond=0.3 + day / 100))
        strategy = ("lean", "model", "breakout")[day % 3]
        clock_us = (day - 2 if day % 7 == 6 else day) * DAY_US + DAY_US
        life.start(
            clock_us, run={"strategy": strategy}, features={"sample_ms": rng.choice(SAMPLES)},
            signals={**eager, "stop_spreads": rng.uniform(4, 12), "expiry_s": rng.uniform(1, 9)},
            exits={"trail_stops": rng.choice((0.0, 0.5)), "take_profit_stops": rng.choice((0, 2))},
        )  # fmt: skip
        life.trade(*of(day))
        if day % 4 != 3:  # the others are cut off
            life.stop()
        if day == FILED:
            marts.build(desk, WORLD, "--select", *filing.MARTS, *QUICK[1:])
            filed, early = _daily(life), _corrections(life)
            reported = office.file(_date_of(REPORTED))
            office.seal(days_ago=1)
        if day:
            past, at = rng.randrange(day + 1), None
            if day > FILED and day % 2:
                past, at = REPORTED, _of_an_order(life, rng)
            corrected += _correct(folder / str(day), past, day, rng, at)
    learned.restate(desk)
    marts.restate(desk, *QUICK)
    assert reports.restate(desk).problems == []
    office.seal(days_ago=0)
    return Lived(
        life=life, corrected=corrected, products=products, early=early, filed=filed,
        restated=_daily(life), office=office, reports=reported,
    )  # fmt: skip


def _at(product: str) -> Any:
    return lambda: {**versions(), "tickhouse": product}


def _date_of(day: int) -> date:
    first = int(of(day)[0].ticks["time_msc"][0])
    return datetime.fromtimestamp(first / 1e3, UTC).date()


def _of_an_order(life: Life, rng: random.Random) -> int:
    """Which tick of day REPORTED an order was sent on that was filled."""
    times = of(REPORTED)[0].ticks["time_msc"]
    sent = {s.ts_event_us // 1000 for s in life.decided if s.symbol == "EURUSD" and life.filled(s)}
    return rng.choice([n for n in range(40, len(times) - 80) if int(times[n]) in sent])


def _correct(
    folder: Path, past: int, number: int, rng: random.Random, at: int | None = None
) -> int:
    """A vendor's file of an hour of a past day: other prices, a row less, a tick more.

    Args:
        at: a tick that has another price for certain.
    """
    ticks = of(past)[0].ticks
    begin = rng.randrange(len(ticks) - 80) if at is None else at - 10
    rows = ticks[begin : begin + 80].copy()
    for place in [*rng.sample(range(80), FEW), *([] if at is None else [10])]:
        rows[place]["ask"] = round(float(rows[place]["ask"]) + 0.004 + number * 1e-5, 5)
    late = rows[40:41].copy()
    late["time_msc"] += 1
    rows = np.concatenate([rows[:40], late, rows[42:]])
    rows = rows[np.argsort(rows["time_msc"], kind="stable")]
    folder.mkdir()
    columns = {name: rows[name] for name in ("time_msc", "bid", "ask", "last", "volume", "flags")}
    path = folder / "EURUSD_oanda.parquet"
    pq.write_table(pa.table({"symbol": ["EURUSD"] * len(rows), **columns}), path)
    assert main(["import", str(path), "--source", "oanda", "--reason", "the vendor's word"]) == 0
    if number % 3:
        return 1
    gone = ticks[(begin + 100) % len(ticks)]
    feed = ["oanda", "EURUSD", str(gone["time_msc"]), "--seq", str(gone["seq"])]
    assert main(["ticks", "withdraw", *feed, "--reason", "a test quote"]) == 0
    return 2


def _corrections(life: Life) -> set[str]:
    rows = life.client.query("SELECT DISTINCT correction_id FROM correction FINAL").result_rows
    return {row[0] for row in rows}


def _daily(life: Life) -> list[Row]:
    return list(
        life.client.query(
            "SELECT trading_day, ticks, round(spread_max, 6), * EXCEPT (day_rows) FROM"
            f" {QUALITY} WHERE source = 'oanda' AND symbol = 'EURUSD' ORDER BY trading_day"
        ).result_rows
    )


def test_every_decision_of_every_day_explains_bit_for_bit(lived, tmp_path: Path):
    life, named = lived.life, Counter()
    knowledge, wrong = Counter(), []
    for signal in life.decided:
        account = life.explained(signal.signal_id, tmp_path)
        if not account["same"]:
            wrong.append((signal, account["verdict"], account["parts"]))
        assert account["session"]["session_id"] == signal.session_id
        named[signal.session_id] += 1
        knowledge[account["tick"]["as_known"]] += 1
    assert not wrong, f"{len(wrong)} of {len(life.decided)}, the first: {wrong[0]}"
    assert len(named) >= DAYS - 4
    assert len(life.decided) > 100
    assert knowledge["as they came in"] > 10  # their ticks were corrected since


def test_days_ran_on_what_their_sessions_say(lived):
    rows = lived.life.client.query(
        "SELECT number, strategy, JSONExtractString(versions, 'tickhouse'), model, ts_start, status"
        " FROM session FINAL ORDER BY number"
    ).result_rows
    assert [row[0] for row in rows] == list(range(1, DAYS + 1))
    assert [row[2] for row in rows] == [v for v in lived.products for _ in range(4)]
    assert len({row[3] for row in rows}) == DAYS // 4
    assert [row[5] for row in rows].count("running") == DAYS // 4
    starts = [row[4] for row in rows]
    assert starts != sorted(starts)


def test_what_was_decided_was_never_rewritten(lived):
    rows = lived.life.client.query(
        "SELECT signal_id, session_id, stop_price, confidence FROM signal FINAL"
    ).result_rows
    decided = {(s.signal_id, s.session_id, s.stop_price, s.confidence) for s in lived.life.decided}
    assert set(rows) == decided


def test_every_restatement_is_listed(lived):
    rows = lived.life.client.query(
        "SELECT what, status, uniqExact(correction_id) FROM restatement FINAL"
        " GROUP BY what, status ORDER BY what, status"
    ).result_rows
    known = {(what, status): count for what, status, count in rows}
    assert known["bar", "done"] == lived.corrected
    assert known["feature", "marked"] + known.get(("feature", "done"), 0) == lived.corrected
    assert known["mart", "done"] == lived.corrected
    assert ("mart", "pending") not in known


def test_what_is_made_again_is_what_was_filed_and_what_is_listed(lived):
    client, filed = lived.life.client, {row[0]: row for row in lived.filed}
    now = {row[0]: row for row in lived.restated}
    listed = client.query(
        "SELECT trading_day, correction_id, before, after FROM restatement FINAL"
        f" WHERE what = 'mart' AND subject = '{QUALITY}'"
    ).result_rows
    later = [row for row in listed if row[1] not in lived.early]
    assert all(row[2] and row[2] != row[3] for row in later if row[0] in filed)
    changed = {row[0] for row in later}
    assert {day for day in filed if now[day] != filed[day]} == changed & filed.keys()
    assert len(changed & filed.keys()) > 2
    day = "toDate(toTimeZone(ts_event, 'America/New_York') + INTERVAL 7 HOUR)"
    truth = client.query(
        f"SELECT {day} AS day, count(), round(max(toFloat64(ask - bid)), 6) FROM tick FINAL"
        " WHERE source = 'oanda' AND symbol = 'EURUSD' GROUP BY day ORDER BY day"
    ).result_rows
    assert [row[:3] for row in lived.restated] == truth


def test_filed_reports_stand_as_they_were_let_out_and_the_trail_is_whole(lived):
    assert {filed.name for filed in lived.reports} == set(filing.REPORTS)
    for filed in lived.reports:
        assert filing.is_untouched(filed)
        for before, after in pairwise(filing.versions_of(filed)):
            assert after.manifest.previous == before.sha256
            assert after.manifest.restates == before.manifest.version
    assert lived.office.verify() == 0


def test_a_report_made_again_is_what_was_filed_with_the_listed_restatements(lived):
    for filed in lived.reports:
        newest, listed = lived.office.make_again(filed), lived.office.restated(filed)
        was, now = filing.lines_of(filed.folder), filing.lines_of(newest.folder)
        assert now == filing.with_changes(was, listed)
        assert newest.manifest.version == 1 + len(listed) == len(filing.versions_of(filed))
    changed = {filed.name for filed in lived.reports if lived.office.restated(filed)}
    assert changed == {"execution-quality"}, "order records hold nothing of a tick"
