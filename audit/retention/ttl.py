"""How long tables keep rows: the longer of setting and policy, and for ever under a hold."""

import logging
from collections.abc import Mapping

from clickhouse_connect.driver.client import Client

from adapters.clickhouse import retention
from audit.retention.holds import Register, register, subjects_of
from audit.retention.policies import Policy, in_force
from audit.retention.tables import tables
from core.clock import Clock
from core.errors import InputError, SettingsError
from core.settings import Settings

_log = logging.getLogger(__name__)
_DAYS = 366  # of a policy's year: longer than any, never shorter
_BEHIND = 31  # days that the TTL stays behind what destroys by a chained event, and counts


def apply(client: Client, settings: Settings, clock: Clock) -> list[str]:
    """Give every table the TTL that policies, setting and holds ask for; safe to repeat.

    Returns:
        The statements that were needed.

    Raises:
        SettingsError: the setting is shorter than a policy, or names no table.
        WarehouseError: ClickHouse refused.
    """
    policies = in_force(settings, clock)
    by_setting = retention.parse(settings.warehouse.retention)
    names = [table.name for table in tables(client)]
    subjects = subjects_of(policies, names)
    wanted = days(by_setting, policies, subjects)
    try:
        held = register(settings.home_path)
    except InputError as error:  # a hold may stand in what cannot be read
        _log.warning("every table keeps its rows: %s", error)
        return retention.apply(client, {})
    return retention.apply(client, without_held(wanted, subjects, held))


def days(
    by_setting: Mapping[str, int], policies: Mapping[str, Policy], subjects: Mapping[str, str]
) -> dict[str, int]:
    """Days by table, holds aside; a table that is left out keeps its rows for ever.

    Raises:
        SettingsError: the setting is shorter than a policy.
    """
    by_policy = {
        table: policies[name].years * _DAYS + _BEHIND
        for table, name in subjects.items()
        if name and policies[name].then == "destroy" and table not in policies[name].files
    }
    for table, given in by_setting.items():
        name = subjects.get(table, "")
        least = policies[name].years * _DAYS if name else 0
        if given < least:
            raise SettingsError(_too_short(table, given, name, policies[name], least))
    return by_policy | dict(by_setting)


def without_held(
    wanted: Mapping[str, int], subjects: Mapping[str, str], held: Register
) -> dict[str, int]:
    """The same but for tables under a hold."""
    return {t: n for t, n in wanted.items() if not held.on(t, subjects.get(t, ""))}


def _too_short(table: str, given: int, name: str, policy: Policy, least: int) -> str:
    return (
        f"TICKHOUSE_WAREHOUSE__RETENTION: {table}={given}: policy {name} keeps it for"
        f" {policy.years} years ({policy.basis}): give {least} days or more, leave the table out,"
        " or write the firm's own policy into retention.toml of the home"
    )
