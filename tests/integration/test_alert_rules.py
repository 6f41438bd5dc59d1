"""Each rule's statement by the real engine: over no rows, below its limit, above it, and over."""

from typing import NamedTuple

import pytest

from adapters.clickhouse import migrate
from cli.diagnostics.feeds import feeds
from core.clock import SystemClock
from core.sections import RuleSettings
from core.settings import Settings
from surveillance.evaluator import measure, measured
from surveillance.rules import BY_NAME, RULES, limit_of
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.process

SETTINGS = RuleSettings(orders=2)
MODE = "'s1', 'live', 'demo', 'acc1'"


class Fault(NamedTuple):
    """What brings a rule below its limit, above it, and back."""

    below: str
    above: str
    again: str = ""


def ticks(symbol: str, age_s: int) -> str:
    return (
        "INSERT INTO tick (source, symbol, ts_event, bid, ask) SELECT"
        f" 'sim', '{symbol}', now64(6) - toIntervalSecond({age_s}), 1.1, 1.2"
    )


def beats(process: str, age_s: int, status: str = "ready", detail: str = "") -> str:
    return (
        "INSERT INTO process_state (run_id, mode, process, incarnation, heartbeat, ts_event,"
        f" status, detail) SELECT 'live', 'demo', '{process}', toUnixTimestamp64Micro(now64(6)),"
        f" {10_000 - age_s}, now64(6) - toIntervalSecond({age_s}), '{status}', '{detail}'"
    )


def parts(kind: str, name: str, hours: str = "") -> str:
    return f"INSERT INTO session_part VALUES ('s1', '{kind}', '{name}', '{hours}')"


def duty(since_h: int) -> str:
    """A backup is to leave the host since a session of so long ago."""
    return (
        "INSERT INTO session (session_id, run_id, mode, account, number, ts_start, status) SELECT"
        f" 's0', 'live', 'demo', 'acc1', 0, now64(6) - toIntervalHour({since_h}), 'ended'\n"
        "INSERT INTO session_part VALUES ('s0', 'duty', 'backup', '')\n"
        f"{parts('duty', 'backup')}"
    )


def sent_away(age_h: int) -> str:
    return (
        "INSERT INTO offsite_backup (name, ts_event) SELECT"
        f" '{age_h}', now64(6) - toIntervalHour({age_h})"
    )


def predictions(age_s: int) -> str:
    return (
        "INSERT INTO prediction (run_id, mode, session_id, source, symbol, ts_event) SELECT"
        f" 'live', 'demo', 's1', 'sim', 'EURUSD', now64(6) - toIntervalSecond({age_s})"
    )


def orders(seq: int, kind: str, order: str = "") -> str:
    return (
        "INSERT INTO order_event (seq, event_id, kind, run_id, mode, account, order_id, ts_event)"
        f" SELECT {seq}, 'e{seq}', '{kind}', 'live', 'demo', 'acc1', '{order or seq}',"
        f" now64(6) - toIntervalSecond({100 - seq})"
    )


def equity(seq: int, value: float) -> str:
    return (
        "INSERT INTO account_state (run_id, mode, account, ts_event, seq, equity) SELECT"
        f" 'live', 'demo', 'acc1', now64(6), {seq}, {value}"
    )


def scores(order: int, score: float) -> str:
    return (
        "INSERT INTO order_score (run_id, mode, account, strategy, order_id, ts_event, score)"
        f" SELECT 'live', 'demo', 'acc1', 's', '{order}', now64(6), {score}"
    )


def abuse(number: int, step: str) -> str:
    """An alert of market abuse, and what a person did about it."""
    return (
        "INSERT INTO abuse_alert (alert_id, mode, report_date, scenario, due, ts_init)"
        f" SELECT 'a{number}', 'demo', today(), 'layering', today() + 2, now64(6)\n"
        "INSERT INTO audit_event (stream, seq, ts_event, mode, actor, action, subject)"
        f" SELECT 'people', {number}, now64(6), 'demo', 'ann', 'case {step}', 'a{number}'"
    )


def incident(seq: int, hours_ago: int, what: str = "opened") -> str:
    """A step of a person's on one incident."""
    return (
        "INSERT INTO audit_event (stream, seq, mode, actor, action, subject, detail, ts_event)"
        f" SELECT 'people', {seq}, 'demo', 'ann', 'incident {what}', 'i1',"
        """ '{"title": "t", "major": false}', """
        f"now64(6) - toIntervalHour({hours_ago})"
    )


def stages(stage: str, ms: float, count: int) -> str:
    return (
        "INSERT INTO stage_latency (run_id, mode, process, incarnation, heartbeat, stage, ts_event,"
        " bucket, upper_ns, `count`, max_ns) SELECT 'live', 'demo', 'execution', 1,"
        f" {round(ms * 1000)}, '{stage}', now64(6), 1, {round(ms * 1e6)}, {count}, 1"
    )


def states(state: str, by: str, second: int) -> str:
    return (
        "INSERT INTO risk_state (run_id, mode, account, ts_event, ts_init, state, by) SELECT"
        f" 'live', 'demo', 'acc1', now64(6), now64(6) + toIntervalSecond({second}), '{state}',"
        f" '{by}'"
    )


def checks(suite: str, name: str, status: str, failed: int, second: int) -> str:
    return (
        "INSERT INTO check_result (suite, check_id, status, severity, rows_failed, ts_init) SELECT"
        f" '{suite}', '{name}', '{status}', 'error', {failed},"
        f" now64(6) + toIntervalSecond({second})"
    )


def drifts(psi: float, columns: int, minute: int, rows: int = 1000, minutes: int = 61) -> str:
    return (
        "INSERT INTO model_drift (run_id, model, name, ts_end, ts_start, compared, psi) SELECT"
        f" 'live', 'm1', toString(number), now64(6) + toIntervalMinute({minute}) AS ends,"
        f" ends - toIntervalMinute({minutes}), {rows}, {psi} FROM numbers({columns})"
    )


def reports(seq: int, days_ago: int) -> str:
    return (
        "INSERT INTO audit_event (stream, seq, mode, action, subject, ts_event) SELECT 'people',"
        f" {seq}, 'demo', 'report made', concat('orders ', toString(today() - {days_ago})),"
        f" now64(6) - toIntervalDay({days_ago} - 1)"
    )


def filed(seq: int, days_ago: int, action: str, detail: str = "{}") -> str:
    return (
        "INSERT INTO audit_event (stream, seq, mode, action, subject, detail, ts_event) SELECT"
        f" 'people', {seq}, 'demo', '{action}', concat('emir ', toString(today() - {days_ago}),"
        f" ' v1'), '{detail}', now64(6) - toIntervalDay({days_ago})"
    )


def client_file(seq: int, days: float, since_days: int = 9) -> str:
    """A published check: an identity that is covered for so many days yet."""
    begun, ends = (f"toUnixTimestamp64Micro(now64(6)) + {round(d * 86_400e6)}"
                   for d in (-since_days, days))  # fmt: skip
    return (
        "INSERT INTO audit_event (stream, seq, action, detail, ts_event) SELECT 'people',"
        f""" {seq}, 'client files published', concat('{{"version": "v", "clients": [{{"client":"""
        """ "p-1", "need": "identity", "warn_days": 30, "from_us": [',"""
        f""" toString({begun}), '], "until_us": [', toString({ends}), ']}}]}}'), now64(6)"""
    )


def money(day: int, status: str) -> str:
    """The balance of a day of the account, as it was compared."""
    return (
        "INSERT INTO client_money (report_date, mode, account, item, status, severity, ts_init)"
        f" SELECT today() - {day}, 'demo', 'acc1', 'balance', '{status}',"
        f" '{'error' if status != 'matched' else ''}', now64(6)"
    )


def request(seq: int, days_ago: int, action: str = "opened") -> str:
    return (
        "INSERT INTO audit_event (stream, seq, action, subject, detail, ts_event) SELECT 'people',"
        f""" {seq}, 'privacy {action}', 'request-1', '{{"kind": "access", "pseudonym": "p-1"}}',"""
        f" now64(6) - toIntervalDay({days_ago})"
    )


FAULTS = {
    "feed_stale": Fault(ticks("EURUSD", 3), "TRUNCATE TABLE tick", ticks("EURUSD", 1)),
    "process_down": Fault(
        beats("execution", 2), "TRUNCATE TABLE process_state", beats("execution", 1)
    ),
    "predictions_stale": Fault(
        f"{ticks('EURUSD', 0)}\n{predictions(10)}",
        f"TRUNCATE TABLE prediction\n{predictions(200)}",
        predictions(1),
    ),
    "breaker": Fault(
        states("active", "ann", 0), states("halted", "breaker loss", 5), states("active", "ann", 9)
    ),
    "lease": Fault(
        beats("execution", 2, detail="sending"), states("halted", "lease", 5),
        states("active", "ann", 9),
    ),
    "unknown_order": Fault(
        orders(1, "submitted"), orders(2, "unknown", "1"), orders(3, "resolved", "1")
    ),
    "refused": Fault(
        "\n".join([*(orders(n, "submitted") for n in range(1, 21)), orders(21, "rejected", "1")]),
        f"{orders(22, 'rejected', '2')}\n{orders(23, 'unknown', '3')}",
        "TRUNCATE TABLE order_event",
    ),
    "unfilled": Fault(
        "\n".join(
            [*(orders(n, "submitted") for n in range(1, 5)),
             *(orders(n + 10, "filled", str(n)) for n in range(1, 5))]
        ),
        orders(30, "submitted"),
        orders(31, "filled", "30"),
    ),
    "drawdown": Fault(
        f"{equity(1, 100)}\n{equity(2, 96)}", equity(3, 94), equity(4, 99)
    ),
    "odd_order": Fault(scores(1, 0.79), scores(2, 0.81), "TRUNCATE TABLE order_score"),
    "latency": Fault(stages("signal_to_order", 3, 1000), stages("signal_to_order", 40, 1000),
                     "TRUNCATE TABLE stage_latency"),
    "stage_slow": Fault(stages("risk", 0.2, 1000), stages("risk", 3, 1000),
                        "TRUNCATE TABLE stage_latency"),
    "drift": Fault(drifts(0.9, 4, 1), drifts(0.9, 5, 2), drifts(0.1, 9, 3)),
    "failed_audit": Fault(checks("audit", "audit.trail", "passed", 0, 0),
                          checks("audit", "audit.trail", "failed", 2, 1),
                          checks("audit", "audit.trail", "passed", 0, 2)),
    "failed_check": Fault(checks("ticks", "crossed", "passed", 0, 0),
                          checks("ticks", "crossed", "failed", 2, 1),
                          checks("ticks", "crossed", "passed", 0, 2)),
    "backup_old": Fault(f"{duty(100)}\n{sent_away(35)}",
                        f"TRUNCATE TABLE offsite_backup\n{sent_away(37)}", sent_away(1)),
    "abuse_case": Fault(abuse(1, "closed"), abuse(2, "noted"), "TRUNCATE TABLE abuse_alert"),
    "incident_due": Fault(
        incident(1, 23), f"TRUNCATE TABLE audit_event\n{incident(1, 25)}",
        incident(2, 0, "classified"),
    ),
    "client_file": Fault(client_file(1, 1.5), client_file(2, -0.1), client_file(3, 400.0)),
    "client_expiry": Fault(client_file(1, 30.1), client_file(2, 29.9), client_file(3, -0.1)),
    "client_money": Fault(money(3, "matched"), money(2, "differs"), money(1, "matched")),
    "privacy_due": Fault(
        request(1, 30), f"TRUNCATE TABLE audit_event\n{request(1, 31)}", request(2, 0, "exported")
    ),
    "report_late": Fault(f"{reports(1, 2)}\n{reports(2, 1)}",
                         f"TRUNCATE TABLE audit_event\n{reports(1, 2)}", reports(3, 1)),
    "report_unfiled": Fault(
        "\n".join((filed(1, 12, "report made"), filed(2, 12, "report released"),
                   filed(3, 0, "report made"))),
        filed(4, 8, "report made"), filed(5, 8, "report released"),
    ),
    "report_rejected": Fault(
        filed(1, 3, "repository answered", '{"errors": 0}'),
        filed(2, 3, "repository answered", '{"errors": 2}'),
        filed(3, 3, "repository answered", '{"errors": 0}'),
    ),
}  # fmt: skip


@pytest.fixture
def running(warehouse: Warehouse) -> Warehouse:
    """A warehouse with one session that runs for an hour, one process and one feed in it."""
    client = warehouse.client
    migrate.apply(client, [])
    tables = ["session", "session_part", "tick", "process_state", "prediction", "order_event"]
    tables += ["account_state", "stage_latency", "risk_state", "check_result", "model_drift"]
    for table in [*tables, "audit_event", "offsite_backup", "order_score", "abuse_alert"]:
        client.command(f"TRUNCATE TABLE {table}")
    return warehouse


def begin(warehouse: Warehouse, status: str = "running") -> None:
    warehouse.client.command(
        "INSERT INTO session (session_id, run_id, mode, account, number, ts_start, status) SELECT"
        f" {MODE}, 1, now64(6) - toIntervalHour(1), '{status}'"
    )
    warehouse.client.command(parts("process", "execution"))
    warehouse.client.command(parts("feed", "sim/EURUSD", "always"))


def above(warehouse: Warehouse, name: str) -> list[str]:
    rows = measure(warehouse.client, BY_NAME[name], SETTINGS)
    return [row.subject for row in rows if row.value > limit_of(BY_NAME[name], SETTINGS)]


def apply(warehouse: Warehouse, statements: str) -> None:
    for statement in filter(None, statements.splitlines()):
        warehouse.client.command(statement)


def test_over_no_rows_nothing_fires(running: Warehouse) -> None:
    answers = measured(running.client, SETTINGS)
    assert set(answers) == {rule.name for rule in RULES}
    full = {row.value for row in answers.pop("disk")}
    assert all(0 <= used <= 1 for used in full)
    assert not any(answers.values())


def test_a_backup_that_never_was_made_counts_from_when_it_was_due(running: Warehouse) -> None:
    begin(running)
    assert above(running, "backup_old") == []  # none is to leave this host
    apply(running, duty(30))
    assert above(running, "backup_old") == []
    running.client.command("TRUNCATE TABLE session")
    begin(running)
    apply(running, duty(37))
    assert len(above(running, "backup_old")) == 1


def test_every_rule_is_provoked() -> None:
    assert {*FAULTS, "disk"} == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", FAULTS)
def test_a_rule_fires_above_its_limit_and_is_over_below(running: Warehouse, name: str) -> None:
    begin(running)
    fault = FAULTS[name]
    apply(running, fault.below)
    assert above(running, name) == []
    apply(running, fault.above)
    if name == "report_late" and running.client.command("SELECT now() < today() + INTERVAL 3 HOUR"):
        assert above(running, name) == []  # until 03:00 UTC nobody expects it
        return
    assert len(above(running, name)) == 1
    apply(running, fault.again)
    assert above(running, name) == []


def test_a_feed_that_was_silent_for_hours_is_not_forgotten_beside_one_that_speaks(
    running: Warehouse,
) -> None:
    begin(running)
    apply(running, parts("feed", "sim/XAUUSD", "always"))
    apply(running, f"{ticks('EURUSD', 1)}\n{ticks('XAUUSD', 3_000)}")
    assert above(running, "feed_stale") == ["sim/XAUUSD"]
    apply(running, parts("feed", "sim/GBPUSD", "always"))  # never spoke at all
    assert above(running, "feed_stale") == ["sim/GBPUSD", "sim/XAUUSD"]


def test_after_a_drain_nothing_is_missed(running: Warehouse) -> None:
    begin(running)
    assert above(running, "process_down") == ["execution"]  # it never spoke
    begin(running, "ended")
    assert above(running, "process_down") == []
    assert above(running, "feed_stale") == []


def test_an_account_that_was_taken_over_says_so(running: Warehouse) -> None:
    begin(running)
    apply(running, beats("execution", 1, detail="sending; took the account over"))
    assert above(running, "lease") == ["acc1"]


def test_what_another_mode_did_is_not_this_one_s(running: Warehouse) -> None:
    begin(running)
    apply(running, equity(1, 100).replace("'demo'", "'shadow'"))
    apply(running, equity(2, 50).replace("'demo'", "'shadow'"))
    assert above(running, "drawdown") == []


def test_a_young_home_has_seen_too_little_to_drift(running: Warehouse) -> None:
    begin(running)
    apply(running, drifts(0.9, 9, 1, rows=999))
    assert above(running, "drift") == []
    apply(running, drifts(0.9, 9, 2, minutes=59))
    assert above(running, "drift") == []


def test_status_looks_at_the_feeds_that_the_running_session_collects(running: Warehouse) -> None:
    """Whoever asks may have settings of other symbols than `up` was given."""
    settings = Settings(clickhouse=running.settings)
    clock = SystemClock()

    def shown() -> list[tuple[str, str, bool]]:
        states = feeds(settings, running.url, clock.now_us() - 3_600_000_000, clock)
        return [(feed.source, feed.symbol, feed.last_us > 0) for feed in states]

    by_settings = [(settings.terminal.source, s, False) for s in settings.terminal.symbols]
    assert shown() == by_settings
    begin(running)
    apply(running, f"{parts('feed', 'other/BTCUSD', 'always')}\n{ticks('EURUSD', 5)}")
    assert shown() == [("other", "BTCUSD", False), ("sim", "EURUSD", True)]
    running.client.command("TRUNCATE TABLE session")
    begin(running, status="ended")
    assert [(source, symbol) for source, symbol, _ in shown()] == [row[:2] for row in by_settings]
