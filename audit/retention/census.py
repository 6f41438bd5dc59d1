"""What is kept, since when, and what of it is due, held and destroyed: one day's count.

Stored as rows, of which the monthly report is made; a count of the same day again replaces it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from audit.retention import files, holds, tables
from audit.retention.holds import Hold, Register, subjects_of
from audit.retention.policies import Policy, in_force, is_lasting
from audit.retention.tables import Table
from core.clock import Clock
from core.settings import Settings

_DAYS = 365  # of a year, at least: a TTL below its policy is a break


class Counted(NamedTuple):
    """A table or group of files on a day; `policy` "" when none names it."""

    subject: str
    kind: Literal["table", "files"]
    policy: str
    ttl_days: int
    total: int
    oldest: date | None
    due: int
    held: int
    destroyed: int
    holds: tuple[str, ...]


class Break(NamedTuple):
    """Where policy and what is there part."""

    subject: str
    rule_id: str
    severity: Literal["error", "warning"]
    field: str
    value: str


class Census(NamedTuple):
    """One day's count."""

    day: date
    policies: Mapping[str, Policy]
    register: Register
    counted: list[Counted]

    def breaks(self) -> list[Break]:
        """Every break, by rule."""
        return sorted([*_of_policies(self), *_of_subjects(self), *_of_holds(self)])


def take(client: Client, settings: Settings, day: date, clock: Clock) -> Census:
    """Count everything as of a UTC day.

    Raises:
        SettingsError: the firm's policies cannot be read.
        InputError: the audit log is damaged.
        WarehouseError, UnavailableError: it refused, or does not answer.
    """
    policies, register = in_force(settings, clock), holds.register(settings.home_path)
    known = tables.tables(client)
    subjects = subjects_of(policies, [table.name for table in known])
    counted = [_of_table(client, table, subjects, policies, register, day) for table in known]
    counted += [
        _of_files(settings, group, subjects.get(group, ""), policies, register, day)
        for group in files.GROUPS
    ]
    return Census(day, policies, register, counted)


def store(client: Client, census: Census, now_us: int) -> None:
    """Keep it, for the report; what was counted of the day before is replaced."""
    now, day = datetime.fromtimestamp(now_us / 1e6, UTC), census.day
    columns = (
        "report_date", "subject", "kind", "policy", "title", "basis", "version", "years",
        "after_that", "ttl_days", "total", "oldest", "due", "held", "destroyed", "holds", "ts_init",
    )  # fmt: skip
    rows = [(day, one.subject, one.kind, one.policy, *_said(census.policies.get(one.policy)),
             *one[3:9], list(one.holds), now) for one in census.counted]  # fmt: skip
    breaks = [(day, *one, now) for one in census.breaks()]
    with errors_translated():
        client.insert("retention_census", rows, column_names=columns)
        if breaks:
            names = ("report_date", *Break._fields, "ts_init")
            client.insert("retention_break", breaks, column_names=names)


def _said(policy: Policy | None) -> tuple[str, str, str, int, str]:
    if policy is None:
        return "", "", "", 0, "keep"
    return policy.title, policy.basis, policy.version, policy.years, policy.then


def _cutoff(subject: str, policy: Policy | None, day: date) -> date | None:
    """Before which day what there is is due; None: never."""
    if policy is None or not policy.years or is_lasting(subject):
        return None
    return policy.cutoff(day)


def _of_table(
    client: Client, table: Table, subjects: Mapping[str, str], policies: Mapping[str, Policy],
    register: Register, day: date,
) -> Counted:  # fmt: skip
    name = subjects.get(table.name, "")
    over = register.on(table.name, name)
    rows = tables.count(client, table, _cutoff(table.name, policies.get(name), day), over)
    return Counted(
        table.name, "table", name, table.ttl_days, *rows,
        _destroyed(register, table.name, day), tuple(hold.name for hold in over),
    )  # fmt: skip


def _of_files(
    settings: Settings, group: str, name: str, policies: Mapping[str, Policy],
    register: Register, day: date,
) -> Counted:  # fmt: skip
    over, every = register.on(group, name), files.units(settings, group)
    cutoff = _cutoff(group, policies.get(name), day)
    due = [unit for unit in every if cutoff and unit.day < cutoff]
    held = sum(is_held(unit.day, over) for unit in due)
    return Counted(
        subject=group,
        kind="files",
        policy=name,
        ttl_days=0,
        total=len(every),
        oldest=every[0].day if every else None,
        due=len(due),
        held=held,
        destroyed=_destroyed(register, group, day),
        holds=tuple(hold.name for hold in over),
    )


def is_held(day: date, over: Sequence[Hold]) -> bool:
    """Whether something of a day is under one of the holds."""
    return any(
        (hold.start is None or day >= hold.start) and (hold.end is None or day <= hold.end)
        for hold in over
    )


def _destroyed(register: Register, subject: str, day: date) -> int:
    """How many in the month of the day, up to it."""
    return sum(
        one.number
        for one in register.destroyed
        if one.subject == subject
        and day.replace(day=1) <= datetime.fromtimestamp(one.ts_us / 1e6, UTC).date() <= day
    )


def _of_policies(census: Census) -> Iterator[Break]:
    for name, policy in census.policies.items():
        if census.day > policy.review:
            yield Break(name, "review_overdue", "warning", "review", str(policy.review))


def _of_subjects(census: Census) -> Iterator[Break]:
    for one in census.counted:
        policy = census.policies.get(one.policy)
        if policy is None:
            yield Break(one.subject, "without_policy", "warning", "policy", "no policy names it")
            continue
        if one.ttl_days and one.ttl_days < policy.years * _DAYS:
            problem = f"TTL of {one.ttl_days} days, the policy asks for {policy.years} years"
            yield Break(one.subject, "ttl_too_short", "error", "ttl_days", problem)
        if one.ttl_days and one.holds:
            problem = f"TTL of {one.ttl_days} days under {', '.join(one.holds)}"
            yield Break(one.subject, "ttl_under_hold", "error", "ttl_days", problem)
        if policy.then == "destroy" and one.due > one.held:
            problem = f"{one.due - one.held} are due and there"
            yield Break(one.subject, "due_not_destroyed", "warning", "due", problem)


def _of_holds(census: Census) -> Iterator[Break]:
    subjects = {one.subject: one.policy for one in census.counted}
    for hold in census.register.holds:
        for problem in holds.too_late(hold, census.register.destroyed, subjects):
            yield Break(hold.name, "hold_on_destroyed", "error", "from", problem)
