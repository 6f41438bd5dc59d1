"""Whether an incident is major, by the criteria of Delegated Regulation (EU) 2024/1772.

A draft of the law as published on 25 June 2024 (articles 1 to 9). What an incident did is judged by
people; here is only what follows from it. Several small incidents of one cause (article 8(2)) are
not added up.
"""

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

_CLIENTS_SHARE, _MOST_CLIENTS, _COUNTERPARTS_SHARE, _TRANSACTIONS_SHARE = 0.1, 100_000, 0.3, 0.1
_DURATION_H, _DOWNTIME_H, _STATES, _COSTS_EUR = 24.0, 2.0, 2, 100_000.0


class Impact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an incident did, as far as people know or estimate it. Shares are of 1."""

    critical_service: Annotated[
        bool, Meta(description="it affects what supports a critical or authorised service")
    ] = False
    unauthorised_access: Annotated[
        bool, Meta(description="successful and malicious, and data may be lost by it")
    ] = False
    clients_share: Annotated[float, Meta(description="of the clients of the service")] = 0.0
    clients: Annotated[int, Meta(description="their number")] = 0
    counterparts_share: Annotated[
        float, Meta(description="of the service's financial counterparts")
    ] = 0.0
    transactions_share: Annotated[
        float, Meta(description="of a day's mean number, or of its value")
    ] = 0.0
    relevant_client: Annotated[
        bool, Meta(description="one that is relevant to the business or the market is affected")
    ] = False
    reputation: Annotated[
        bool, Meta(description="media, repeated complaints, duties not met, clients lost")
    ] = False
    downtime_h: Annotated[float, Meta(description="of a critical service")] = 0.0
    duration_h: Annotated[float, Meta(description="until it was resolved")] = 0.0
    states: Annotated[int, Meta(description="member states with an impact")] = 0
    data_loss: Annotated[
        bool,
        Meta(description="availability, authenticity, integrity or confidentiality, with harm"),
    ] = False
    costs_eur: Annotated[float, Meta(description="costs and losses")] = 0.0

    def __post_init__(self) -> None:
        for name in ("clients_share", "counterparts_share", "transactions_share"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise ValueError(f"{name} is from 0 to 1, not {share:g}")
        for name in ("clients", "downtime_h", "duration_h", "states", "costs_eur"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is from 0 on, not {getattr(self, name):g}")


class Classified(NamedTuple):
    """The result, and the article behind each threshold that is met."""

    major: bool
    basis: tuple[str, ...]


def classify(impact: Impact) -> Classified:
    """Major: a critical service, and unauthorised access or two other thresholds (article 8(1))."""
    thresholds = {
        "clients, counterparts or transactions (9(1))": (
            impact.clients_share > _CLIENTS_SHARE
            or impact.clients > _MOST_CLIENTS
            or impact.counterparts_share > _COUNTERPARTS_SHARE
            or impact.transactions_share > _TRANSACTIONS_SHARE
            or impact.relevant_client
        ),
        "reputation (9(2))": impact.reputation,
        "duration or downtime (9(3))": (
            impact.duration_h > _DURATION_H or impact.downtime_h > _DOWNTIME_H
        ),
        "member states (9(4))": impact.states >= _STATES,
        "data losses (9(5)(a))": impact.data_loss,
        "costs (9(6))": impact.costs_eur > _COSTS_EUR,
    }
    met = [name for name, is_met in thresholds.items() if is_met]
    critical = impact.critical_service or impact.unauthorised_access  # article 6(c)
    major = critical and (impact.unauthorised_access or len(met) >= 2)
    basis = [*(["critical service (6)"] if critical else []), *met]
    if impact.unauthorised_access:
        basis.append("unauthorised access (9(5)(b))")
    return Classified(major, tuple(basis))
