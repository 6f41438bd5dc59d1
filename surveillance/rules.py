"""The alert rules, all of them: what is measured, when it fires, and what to do then.

One table for everybody who alerts: `watch` evaluates it and tells people, Grafana and Prometheus
are given theirs from it (`dashboards.provisioned`). A rule's measure is one statement,
`sql/NAME.sql`, which answers one row per subject: `subject` (a feed, a process, an account) and
`value`. It fires for a subject once the value has been above the limit for `hold_s`, and resolves
with the first value that is not, or when the subject is gone.
"""

import re
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

from core.sections import RuleSettings

_PARAMETER = re.compile(r"\{(\w+):\w+\}")


class Rule(NamedTuple):
    """One rule. `name` is its statement's; `title`, as a heading, its runbook's."""

    name: str
    title: str
    says: (
        str  # with {value} and, at the end of a sentence of its own, no subject: that stands before
    )
    limit: str  # the setting of section `rules` that holds it; "": zero
    hold_s: int
    severity: Literal["critical", "warning"]
    remedy: str  # what to do first; the runbook has the rest

    @property
    def looks_back(self) -> bool:
        """Over minutes to days: half a minute later it says the same. What is urgent is not so."""
        return self.name not in _URGENT


_URGENT = {"feed_stale", "process_down", "breaker", "lease", "unknown_order"}

#: What `watch` measures itself, for it has to work with everything else down.
BLIND = Rule(
    "blind",
    "Rules not evaluated",
    "the warehouse has not answered for {value:.0f} s",
    "process_down_s",
    0,
    "critical",
    "tickhouse status: is the warehouse up, and has its disk space?",
)

RULES = (
    Rule(
        "feed_stale",
        "Feed stale",
        "no tick for {value:.0f} s while its market is open",
        "feed_stale_s",
        0,
        "critical",
        "tickhouse status: is the terminal connected and the collector ready?",
    ),
    Rule(
        "process_down",
        "Process down",
        "silent for {value:.0f} s",
        "process_down_s",
        0,
        "critical",
        "tickhouse logs PROCESS --level warning",
    ),
    Rule(
        "predictions_stale",
        "Predictions stale",
        "the newest is {value:.0f} s behind the newest tick",
        "predictions_stale_s",
        30,
        "critical",
        "tickhouse logs streams.ticks --level warning",
    ),
    Rule(
        "breaker",
        "Breaker tripped",
        "holds trading back",
        "",
        0,
        "critical",
        "tickhouse status says why; tickhouse resume once the cause is gone",
    ),
    Rule(
        "lease",
        "Lease changed hands",
        "another execution took the account over",
        "",
        0,
        "critical",
        "end one of the two executions, compare the account, then tickhouse resume",
    ),
    Rule(
        "unknown_order",
        "Order of unknown outcome",
        "{value:.0f} orders",
        "",
        30,
        "critical",
        "tickhouse orders list, then look into the terminal's history",
    ),
    Rule(
        "refused",
        "Orders refused",
        "{value:.0%} of the orders sent were rejected or are unknown",
        "refused",
        30,
        "warning",
        "board execution, table Refused by the broker",
    ),
    Rule(
        "unfilled",
        "Orders unfilled",
        "{value:.0%} of the orders sent were not filled",
        "unfilled",
        30,
        "warning",
        "board execution, panel Outcomes",
    ),
    Rule(
        "odd_order",
        "Unusual order of ours",
        "one scored {value:.2f}",
        "odd_order",
        0,
        "warning",
        "SELECT * FROM order_score FINAL WHERE score > 0.8 says which and why",
    ),
    Rule(
        "drawdown",
        "Drawdown",
        "{value:.1%} below the day's peak",
        "drawdown",
        30,
        "critical",
        "tickhouse halt if you do not know why",
    ),
    Rule(
        "latency",
        "Latency over budget",
        "signal to order p99 {value:.1f} ms",
        "latency_ms",
        300,
        "warning",
        "board execution, table Stages: which stage?",
    ),
    Rule(
        "stage_slow",
        "Stage over its promise",
        "p99 {value:.2f} ms",
        "stage_ms",
        300,
        "warning",
        "the machine is short of a core, or the model is too big",
    ),
    Rule(
        "drift",
        "Model drift",
        "{value:.0f} columns drifted",
        "drifted",
        0,
        "warning",
        "tickhouse models compare",
    ),
    Rule(
        "failed_audit",
        "Failed audit",
        "{value:.0f} breaks in the audit trail",
        "",
        0,
        "critical",
        "change nothing; tickhouse audit verify",
    ),
    Rule(
        "abuse_case",
        "Market-abuse case waits",
        "{value:.0f} cases that nobody took, or decided in time",
        "",
        0,
        "warning",
        "tickhouse abuse list, then take, note and close",
    ),
    Rule(
        "incident_due",
        "Incident past its time limit",
        "due {value:.1f} h ago",
        "",
        0,
        "warning",
        "tickhouse incidents list, then classify, or file what is due",
    ),
    Rule(
        "client_file",
        "Client file not in order",
        "{value:.0f} documents lack or have run out, and nothing is opened for them",
        "",
        0,
        "warning",
        "tickhouse clients status, then add-document, and approve by somebody else",
    ),
    Rule(
        "client_expiry",
        "Client document runs out",
        "ends in {value:.0f} days",
        "",
        0,
        "warning",
        "ask the client for a newer one, then tickhouse clients add-document",
    ),
    Rule(
        "client_money",
        "Client money differs from the broker",
        "for {value:.0f} days",
        "",
        0,
        "critical",
        "tickhouse clients money --date DAY, then tickhouse report broker-reconciliation",
    ),
    Rule(
        "privacy_due",
        "Request about data not answered",
        "its day was {value:.0f} days ago",
        "",
        0,
        "warning",
        "tickhouse privacy cases, then export or erase; tell the person why it is late",
    ),
    Rule(
        "report_late",
        "Report late",
        "not made for yesterday",
        "",
        300,
        "warning",
        "Dagster's run of reports_job says why; tickhouse report NAME --date DAY",
    ),
    Rule(
        "report_unfiled",
        "Report not filed",
        "{value:.0f} days past T+1 without a released version",
        "",
        300,
        "warning",
        "tickhouse report list; then report sign and report release, or mend its breaks",
    ),
    Rule(
        "report_rejected",
        "Report rejected",
        "{value:.0f} errors in the repository's answers",
        "",
        0,
        "warning",
        "breaks.csv of emir-answers of that day: what was rejected, why, and whose it is",
    ),
    Rule(
        "failed_check",
        "Failed check",
        "{value:.0f} checks do not pass",
        "",
        60,
        "warning",
        "tickhouse check",
    ),
    Rule(
        "backup_old",
        "Backup too old",
        "the newest that left the host is {value:.0f} h old",
        "backup_hours",
        0,
        "warning",
        "tickhouse status says what failed; tickhouse backup offsite",
    ),
    Rule(
        "disk",
        "Disk nearly full",
        "{value:.0%} of it is used",
        "disk",
        300,
        "critical",
        "set a retention, or move old backups away",
    ),
)

EVERY = (*RULES, BLIND)
BY_NAME = {rule.name: rule for rule in EVERY}


def limit_of(rule: Rule, settings: RuleSettings) -> float:
    """Above which it fires."""
    return float(getattr(settings, rule.limit)) if rule.limit else 0.0


def parameters(settings: RuleSettings) -> dict[str, int]:
    """Of the statements."""
    return {"window_s": settings.window_s, "orders": settings.orders}


@cache
def statement(rule: Rule) -> str:
    """Its SQL, with ClickHouse's own parameters."""
    return resources.files("surveillance").joinpath(f"sql/{rule.name}.sql").read_text().strip()


def statement_with(rule: Rule, settings: RuleSettings) -> str:
    """Its SQL with the parameters' values in place, whole numbers all of them.

    Grafana cannot bind them, and clickhouse-connect formats what has a `%` and no parameter.
    """
    values = parameters(settings)
    return _PARAMETER.sub(lambda match: str(values[match[1]]), statement(rule))
