"""Destroys what is due by a policy and under no hold: each table and group by a chained event.

The event is on disk before anything goes. Killed between the two, the trail says more than was
done, and the next time destroys what is left and says that, too.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from audit.retention import files, holds, tables
from audit.retention.census import is_held
from audit.retention.holds import Hold
from audit.retention.policies import NEVER, Policy, by_table, in_force, is_lasting, lasting_of
from core import audit_log
from core.audit_log import AuditLine
from core.clock import Clock
from core.errors import SettingsError
from core.settings import Settings


class Due(NamedTuple):
    """What would go of one table or group of files, and how much of what is due is held."""

    subject: str
    number: int
    held: int


class Order(NamedTuple):
    """What is to be destroyed: all of a policy that was made before a day."""

    policy: str
    before: date


class Authority(NamedTuple):
    """By whom, why, whether known by password; the entry of the signed approval, 0 without."""

    by: str
    reason: str
    known: bool = False
    entry: int = 0


def order_of(name: str, settings: Settings, clock: Clock, today: date) -> Order:
    """All that a policy no longer asks for.

    Raises:
        SettingsError: there is no such policy, or nothing of it is ever destroyed.
    """
    policies = in_force(settings, clock)
    if name not in policies:
        raise SettingsError(f"no policy {name!r}; there are: {', '.join(policies)}")
    if problem := _never(policies[name]):
        raise SettingsError(f"policy {name}: {problem}")
    return Order(name, policies[name].cutoff(today))


def due(client: Client, settings: Settings, order: Order, clock: Clock) -> list[Due]:
    """What an order would destroy; subjects of which nothing is due are left out."""
    return [one for one in _walk(client, settings, order, clock, None) if one.number or one.held]


def carry_out(
    client: Client, settings: Settings, order: Order, authority: Authority, clock: Clock
) -> list[Due]:
    """Destroy it, table by table; what was.

    Raises:
        WarehouseError, OSError: it stopped there; what was destroyed before is in the trail.
    """
    return [
        one for one in _walk(client, settings, order, clock, authority) if one.number or one.held
    ]


def nightly(client: Client, settings: Settings, clock: Clock, today: date) -> dict[str, list[Due]]:
    """Carry out every policy that says so."""
    done = {}
    for name, policy in in_force(settings, clock).items():
        if policy.then == "destroy":
            why = Authority("dagster", f"policy {name}, version {policy.version}")
            order = Order(name, policy.cutoff(today))
            done[name] = carry_out(client, settings, order, why, clock)
    return done


def _walk(
    client: Client, settings: Settings, order: Order, clock: Clock, authority: Authority | None
) -> list[Due]:
    policies, register = in_force(settings, clock), holds.register(settings.home_path)
    policy, known = policies[order.policy], tables.tables(client)
    if order.before > policy.cutoff(_day(clock)):
        raise SettingsError(f"policy {order.policy} keeps what is younger than {order.before}")
    named = by_table(policies, [table.name for table in known])
    walked = []
    for table in known:
        if named.get(table.name) == order.policy and table.time and not is_lasting(table.name):
            over = register.on(table.name, order.policy)
            rows = tables.count(client, table, order.before, over)
            one = Due(table.name, rows.due - rows.held, rows.held)
            if authority and one.number:
                _note(settings, one, order, authority, clock)
                tables.destroy(client, table, order.before, over)
            walked.append(one)
    for group in policy.files:
        over = register.on(group, order.policy)
        walked.append(_group(settings, group, over, order, clock, authority))
    return walked


def _group(
    settings: Settings, group: str, over: Sequence[Hold], order: Order, clock: Clock,
    authority: Authority | None,
) -> Due:  # fmt: skip
    old = [unit for unit in files.units(settings, group) if unit.day < order.before]
    going = [unit for unit in old if not is_held(unit.day, over)]
    one = Due(group, len(going), len(old) - len(going))
    if authority and going:
        _note(settings, one, order, authority, clock)
        for unit in going:
            files.remove(unit)
    return one


def _never(policy: Policy) -> str:
    if not policy.years:
        return "it has no years, so nothing of it is ever due; give days of a table by setting"
    if lasting := lasting_of(policy):
        return f"{', '.join(lasting)}: {NEVER}"
    return ""


def _note(settings: Settings, one: Due, order: Order, authority: Authority, clock: Clock) -> None:
    payload = {
        "policy": order.policy, "before": str(order.before), "count": one.number, "held": one.held,
        "entry": authority.entry,
    }  # fmt: skip
    line = AuditLine(
        ts_us=clock.now_us(), by=authority.by, authenticated=authority.known,
        action=holds.DESTROYED, detail=f"{one.number} of {one.subject} from before {order.before}",
        subject=one.subject, reason=authority.reason, payload=payload,
    )  # fmt: skip
    audit_log.append(settings.home_path, line)


def _day(clock: Clock) -> date:
    return datetime.fromtimestamp(clock.now_us() / 1e6, UTC).date()
