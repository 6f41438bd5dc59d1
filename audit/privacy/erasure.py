"""Whether law lets somebody be erased now: Regulation (EU) 2016/679, article 17(1) and (3).

Records that a policy keeps by law keep the identity behind them (point (b)); a legal hold keeps it
for claims (point (e)). What no law asks for any more, or never did, does not stand in the way.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from audit.privacy.cases import accounts_of
from audit.privacy.records import Standing, standing
from audit.retention import holds
from audit.retention.policies import Policy, by_table, in_force, years_before
from audit.retention.tables import tables
from core.clock import Clock
from core.settings import Settings


class Verdict(NamedTuple):
    """Why not, each with its basis; none: it may be done."""

    obstacles: tuple[str, ...]
    until: date | None  # when the last of those that end ends

    @property
    def basis(self) -> str:
        """In words, for the record."""
        if self.obstacles:
            return "; ".join(self.obstacles)
        return "article 17(1): nothing asks for it any more"


def judge(client: Client, settings: Settings, pseudonym: str, today: date, clock: Clock) -> Verdict:
    """Look at every record that names somebody, and at every hold.

    Raises:
        SettingsError, InputError, WarehouseError, UnavailableError: it cannot be told: then no.
    """
    policies = in_force(settings, clock)
    stands = standing(client, pseudonym, accounts_of(settings.home_path, pseudonym))
    named = by_table(policies, [table.name for table in tables(client)])
    kept = [_kept(one, policies.get(named.get(one.table, "")), today) for one in stands]
    ends = [end for end, _ in filter(None, kept)]
    obstacles = [problem for _, problem in filter(None, kept)]
    return Verdict(
        (*obstacles, *_held(settings, pseudonym, stands, named)), max(ends, default=None)
    )


def _kept(one: Standing, policy: Policy | None, today: date) -> tuple[date, str] | None:
    if policy is None or not policy.years:
        return None
    end = years_before(one.newest, -policy.years)
    if end < today:
        return None
    problem = (
        f"article 17(3)(b): {one.rows} rows of {one.table} are kept until {end} ({policy.basis})"
    )
    return end, problem


def _held(
    settings: Settings, pseudonym: str, stands: Sequence[Standing], named: dict[str, str]
) -> list[str]:
    register = holds.register(settings.home_path)
    concerned = {holds.EVERYTHING, pseudonym}
    for one in stands:
        concerned |= {one.table, named.get(one.table, "")}
    return [
        f"article 17(3)(e): legal hold {hold.name} ({hold.reason})"
        for hold in register.holds
        if concerned & set(hold.on)
    ]
