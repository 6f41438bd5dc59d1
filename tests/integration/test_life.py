"""Weeks of a home that lives: every decision of every day explains bit for bit at the end.

Each trading day is a start of its own, under other settings, strategies, models and versions, by a
clock that now and then goes back; past days are corrected in between, ticks withdrawn, others come
in late. What was decided stays as it was, and what was known then is found again.
"""

import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from cli.stack import sessions
from core.fingerprint import versions
from models.serving.registry import Registry
from tests.support.corrections import correct
from tests.support.life import LEAN, Feed, Life, model_of, of_day
from tests.support.recordings import recorded_ticks
from tests.support.warehouse_server import Warehouse

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="models"), pytest.mark.timeout(600)]

DAYS, TICKS, DAY_US = 12, 900, 86_400_000_000
SAMPLES, FEW = (0, 500, 1000, 2500), 3


class Lived(NamedTuple):
    """A life, and what happened in it."""

    life: Life
    corrected: list[tuple[str, int]]  # correction and the tick's time
    products: list[str]  # version of the product on each day


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    server = Warehouse(tmp_path_factory.mktemp("home"))
    server.start()
    patch = pytest.MonkeyPatch()
    try:
        yield _live(Life(server.home, server), patch, random.Random(17))
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


def _live(life: Life, patch: pytest.MonkeyPatch, rng: random.Random) -> Lived:
    registry, corrected, products = Registry(life.home / "models"), [], []
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
        if day:
            corrected += _correct(life, rng.randrange(day + 1), day, rng)
    return Lived(life, corrected, products)


def _at(product: str) -> Any:
    return lambda: {**versions(), "tickhouse": product}


def _correct(life: Life, past: int, number: int, rng: random.Random) -> list[tuple[str, int]]:
    """Prices of a past day are other ones now; known from this moment on."""
    ticks = of(past)[0].ticks
    ticks = ticks[ticks["seq"] == 0]
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    done = []
    for n in range(FEW):
        tick = ticks[rng.randrange(len(ticks))]
        bid, ask = round(float(tick["bid"]) + 0.004, 5), round(float(tick["ask"]) + 0.004, 5)
        name, time_msc = f"c{number}.{n}", int(tick["time_msc"])
        correct(life.client, time_msc, bid, ask, now, name)
        done.append((name, time_msc))
    return done


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
    listed = lived.life.client.query(
        "SELECT DISTINCT correction_id FROM restatement FINAL"
    ).result_rows
    assert {row[0] for row in listed} == {name for name, _ in lived.corrected}
    versions_kept = lived.life.client.query("SELECT max(version) FROM tick_version").result_rows
    assert versions_kept[0][0] >= 1
    assert np.unique([time for _, time in lived.corrected]).size > DAYS
