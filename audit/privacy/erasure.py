"""Whether law lets somebody be erased now: Regulation (EU) 2016/679, article 17(1) and (3).

Records that a policy keeps by law keep the identity behind them (point (b)); a legal hold keeps it
for claims (point (e)). What no law asks for any more, or never did, does not stand in the way.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from audit.clients import register as registers
from audit.privacy.cases import accounts_of
from audit.privacy.records import Standing, standing
from audit.retention import holds
from audit.retention.files import CLIENTS
from audit.retention.policies import Policy, by_table, in_force, years_before
from audit.retention.tables import tables
from core.clock import Clock
from core.settings import Settings

_Obstacle = tuple[date | None, str]  # until when, if that is known, and why


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
    kept.append(_client(settings, pseudonym, policies, today))
    ends = [end for end, _ in filter(None, kept) if end]
    obstacles = [problem for _, problem in filter(None, kept)]
    return Verdict(
        (*obstacles, *_held(settings, pseudonym, stands, named)), max(ends, default=None)
    )


def _kept(one: Standing, policy: Policy | None, today: date) -> _Obstacle | None:
    if policy is None or not policy.years:
        return None
    end = years_before(one.newest, -policy.years)
    if end < today:
        return None
    problem = (
        f"article 17(3)(b): {one.rows} rows of {one.table} are kept until {end} ({policy.basis})"
    )
    return end, problem


def _client(
    settings: Settings, pseudonym: str, policies: Mapping[str, Policy], today: date
) -> _Obstacle | None:
    """Documents of a client: while they are one, and for the policy's years from their end."""
    register = registers.register(settings.home_path)
    client, documents = register.clients.get(pseudonym), len(register.of(pseudonym))
    policy = next((p for p in policies.values() if CLIENTS in p.files and p.years), None)
    if client is None or policy is None:
        return None
    if not client.ended_us:
        return None, (
            f"article 17(3)(b): a client still, with {documents} documents ({policy.basis}):"
            f" tickhouse clients end {pseudonym} when they are not"
        )
    ended = datetime.fromtimestamp(client.ended_us / 1e6, UTC).date()
    end = years_before(ended, -policy.years)
    if end < today or not documents:
        return None
    return end, f"article 17(3)(b): {documents} documents are kept until {end} ({policy.basis})"


def _held(
    settings: Settings, pseudonym: str, stands: Sequence[Standing], named: dict[str, str]
) -> list[str]:
    register = holds.register(settings.home_path)
    concerned = {holds.EVERYTHING, pseudonym}
    if registers.register(settings.home_path).of(pseudonym):
        concerned |= {CLIENTS, "clients"}
    for one in stands:
        concerned |= {one.table, named.get(one.table, "")}
    return [
        f"article 17(3)(e): legal hold {hold.name} ({hold.reason})"
        for hold in register.holds
        if concerned & set(hold.on)
    ]
