"""A firm's rules in a replay: which tick breaks one, what becomes of positions, and restarts."""

import random
import threading
from pathlib import Path
from typing import Any

import pytest

from adapters.mt5.protocol.terminal import Terminal
from adapters.mt5.venue.orders import Venue
from core.contracts.firm import FirmRecord, FirmRuleState
from core.contracts.order import EventKind
from core.topics import ORDER_EVENTS, SIGNALS, TICKS
from execution import compose, replay
from execution.journal import journal
from execution.journal.journal import Journal
from execution.replay_slices import SliceReader
from tests.support import replays
from tests.unit.execution.desk import Unreliable

RULES = """version = "t"
[limits]
max_orders_per_minute = 12.0
max_lots = 1.0
[accounts.replay-r1]
firm = "f"
[firms.f]
dated = 2026-11-01
zone = "Europe/Prague"
"""
WATCHED = "daily_loss = {loss}\nenforce = false\n"


def parts_of(home: Path, bus: Any, rules: str, answering: Terminal) -> replay.Parts:
    """A replay as it is composed, under rules."""
    (home / "limits.toml").write_text(rules)
    venue = Venue(answering)
    return compose.replay_parts(replays.SETTINGS, Journal(home / "journal"), bus, venue, home)


def run(home: Path, rules: str, answering: Terminal | None = None) -> Any:
    """One process's life; the bus."""
    home.mkdir(exist_ok=True)
    bus, answering = replays.filled_bus(), answering or replays.terminal(home)
    parts = parts_of(home, bus, rules, answering)
    reader = SliceReader(
        bus.subscribe(TICKS), bus.subscribe(SIGNALS), replays.RUN.run_id, threading.Event()
    )
    try:
        assert replay.Replay(parts, reader).run()
    finally:
        parts.ledger._journal.close()
        answering.shutdown()
    return bus


def records(home: Path) -> list[FirmRecord]:
    """The firm's records of a journal."""
    kept = Journal(home / "journal")
    try:
        return [record for record in kept.take() if isinstance(record, FirmRecord)]
    finally:
        kept.close()


def without_version(home: Path) -> list[Any]:
    """Order events less what names the limits, and the chain over that.

    In no order: who watches hears of a stop at its quote, and not with the next signal.
    """
    return sorted(
        (e.kind, e.order_id, e.ts_event_us, e.price, e.reason, e.venue_deal, e.profit)
        for e in journal.events(home / "journal")
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("plain")
    run(home, RULES.partition("[accounts")[0])
    return home


@pytest.fixture(scope="module")
def lost(plain: Path) -> float:
    """Half of what the account lost by trades alone."""
    money = [e.profit + e.commission + e.swap for e in journal.events(plain / "journal")]
    return round(-sum(money) / 2, 2)


def test_without_rules_nothing_of_a_firm_is_journalled(plain: Path, lost: float) -> None:
    assert records(plain) == []
    assert lost > 1.0


def test_rules_that_are_only_watched_change_no_order_and_name_the_tick(
    plain: Path, lost: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    check = replay.Replay._check_firm

    def compared(self: Any, task: Any) -> None:
        check(self, task)
        if not self._p.firm._past.cash:  # else the terminal counts a fill that is to come
            looks.append((self._p.ledger.activity.firm.equity, self._p.venue.account().equity))

    monkeypatch.setattr(replay.Replay, "_check_firm", compared)
    bus = run(tmp_path / "a", RULES + WATCHED.format(loss=lost))
    assert without_version(tmp_path / "a") == without_version(plain)
    assert len(looks) > 3
    for ours, terminals in looks:
        assert ours == pytest.approx(terminals, abs=0.011)
    kept = records(tmp_path / "a")
    [breach] = [b for r in kept for b in r.breaches]
    assert kept[-1].state.broken == (breach,)
    quotes = {row[0] * 1000 for feed in replays.FEEDS for row in replays.rows(*feed)}
    assert breach.ts_us in quotes
    published = [m for m in bus.messages(ORDER_EVENTS) if isinstance(m, FirmRuleState)]
    assert published[-1].broken_us == breach.ts_us
    assert published[-1].least_headroom <= min(published[-1].headroom, 0.0)


def test_a_breach_flattens_at_its_tick_and_nothing_opens_after_it(
    lost: float, tmp_path: Path
) -> None:
    rules = f'daily_loss = {lost}\nmargin_share = 0.0\nat_stops = false\non_breach = "flatten"\n'
    run(tmp_path / "a", RULES + rules)
    kept = records(tmp_path / "a")
    [breach] = [b for r in kept for b in r.breaches]
    events = list(journal.events(tmp_path / "a" / "journal"))
    later = [e for e in events if e.ts_init_us > breach.ts_us]
    assert not any(e.kind is EventKind.SUBMITTED and e.purpose == "entry" for e in later)
    closed = [e for e in events if e.kind is EventKind.SUBMITTED and e.purpose == "flatten"]
    assert closed
    assert {e.ts_init_us for e in closed} <= set(range(breach.ts_us, breach.ts_us + 1_000_000))
    assert "halted" in {e.reason for e in later if e.kind is EventKind.DENIED}


def test_entries_are_denied_before_a_breach(lost: float, tmp_path: Path) -> None:
    run(tmp_path / "a", RULES + f"daily_loss = {lost}\nmargin_share = 0.3\n")
    denied = [
        e
        for e in journal.events(tmp_path / "a" / "journal")
        if e.kind is EventKind.DENIED and e.reason == "firm_daily_loss"
    ]
    assert denied
    assert all(e.observed >= e.limit == pytest.approx(lost * 0.7) for e in denied)
    assert all(e.limits_version.startswith("t+") for e in denied)
    assert not any(r.breaches for r in records(tmp_path / "a"))


class Dying(Unreliable):
    """Ends the process before or after some requests."""

    rng = random.Random(11)

    def order_send(self, request: Any) -> Any:
        if self.rng.random() < 0.03:
            raise KeyboardInterrupt
        answer = super().order_send(request)
        if self.rng.random() < 0.03:
            raise KeyboardInterrupt
        return answer


def test_a_run_that_is_killed_on_its_way_names_the_same_tick(lost: float, tmp_path: Path) -> None:
    rules = RULES + f"daily_loss = {lost}\nenforce = false\nmax_open_lots = 0.4\n"
    rules += f'drawdown = {lost}\ndrawdown_kind = "trailing"\nat_stops = false\n'
    rules += "retail = true\n"
    run(tmp_path / "whole", rules)
    died, home = 0, tmp_path / "cut"
    while True:
        home.mkdir(exist_ok=True)
        try:
            run(home, rules, Dying(replays.terminal(home)))  # type: ignore[arg-type]
            break
        except KeyboardInterrupt:
            died += 1
    assert died > 3
    assert list(journal.events(home / "journal")) == list(
        journal.events(tmp_path / "whole" / "journal")
    )
    assert records(home) == records(tmp_path / "whole")
    assert records(home)[-1].state.broken
    margins = {round(record.state.margin) for record in records(home)}
    assert len(margins) > 3
    assert max(margins) < 0.4 * 200_000 * 0.05  # of the most lots that were open


def test_what_a_retail_client_cannot_cover_is_denied_in_a_replay_too(tmp_path: Path) -> None:
    own = "retail_margins = { EURUSD = 1.0, NZDUSD = 1.0, BTCUSD = 1.0, XAUUSD = 1.0 }\n"
    large = RULES.replace("[accounts", "lots = 1.0\n[accounts")
    run(tmp_path / "a", large + "retail = true\n" + own)
    denied = [
        e
        for e in journal.events(tmp_path / "a" / "journal")
        if e.kind is EventKind.DENIED and e.reason == "retail_margin"
    ]
    assert denied
    assert all(e.observed > e.limit > 0 for e in denied)
