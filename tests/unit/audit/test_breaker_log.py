"""A breaker's halt and resume are chained once each, whenever the watcher learns of them."""

from pathlib import Path

from audit.breaker_log import BreakerLog
from audit.streams import people_stream, problem_in_chain
from core import audit_log
from core.contracts.audit import AuditEvent
from core.contracts.operations import RiskState


def state(ts: int, word: str, by: str) -> RiskState:
    return RiskState(
        run_id="live", mode="live", account="acc1", ts_event_us=ts, ts_init_us=ts, state=word,
        by=by, reason="too much",
    )  # fmt: skip


def chained(home: Path) -> list[AuditEvent]:
    return list(audit_log.read(audit_log.path_in(home)))


def test_breakers_are_chained_and_people_are_left_to_their_commands(tmp_path: Path) -> None:
    log = BreakerLog(tmp_path)
    assert log.note(state(1, "reducing", "breaker drawdown"))
    assert log.note(state(2, "halted", "breaker loss"))
    assert log.note(state(3, "active", "breaker disconnected"))
    assert not log.note(state(4, "halted", "ann"))
    assert [(e.actor, e.action, e.subject, e.reason) for e in chained(tmp_path)] == [
        ("breaker drawdown", "reduce", "acc1", "too much"),
        ("breaker loss", "halt", "acc1", "too much"),
        ("breaker disconnected", "resume", "acc1", "too much"),
    ]
    previous = None
    for placed in people_stream(tmp_path).events(0):
        assert problem_in_chain(placed.event, previous) == ""
        previous = placed.event


def test_what_the_log_holds_is_not_chained_again(tmp_path: Path) -> None:
    first = BreakerLog(tmp_path)
    assert first.note(state(2, "halted", "breaker loss"))
    assert not first.note(state(2, "halted", "breaker loss"))
    again = BreakerLog(tmp_path)
    assert not again.note(state(2, "halted", "breaker loss"))
    assert again.note(state(9, "halted", "breaker loss"))
    assert len(chained(tmp_path)) == 2
