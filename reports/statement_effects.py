"""What a statement's changes do to fills of ours, in words and counted: some correct none.

Nothing is lost by that: every change is a row of `broker_correction`, and the reconciliation of its
day compares what is told with our journal.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

from adapters.clickhouse.client import connect, errors_translated
from core.settings import Settings
from reports.statement import BrokerStatement
from reports.statement_changes import DealChange

Kind = Literal["corrects a fill", "first told", "no fill"]
_FILLS = """
SELECT DISTINCT venue_deal FROM order_event
WHERE mode = {mode:String} AND account = {account:String} AND venue_deal IN {deals:Array(UInt64)}
    AND kind IN ('partially_filled', 'filled', 'closed')
"""
_CORRECTED = """
SELECT DISTINCT venue_deal FROM fill_version
WHERE mode = {mode:String} AND account = {account:String} AND venue_deal IN {deals:Array(UInt64)}
    AND version > 0
"""
_WORDS: dict[Kind, str] = {
    "corrects a fill": "a fill of ours has a new version; tickhouse restate",
    "first told": "told for the first time, so it corrects nothing: the reconciliation compares it"
    " with our fill; tickhouse restate",
    "no fill": "no fill of ours is this deal, so it corrects nothing: the reconciliation shows it;"
    " tickhouse restate",
}


class Effect(NamedTuple):
    """Of one change."""

    change: DealChange
    kind: Kind

    def __str__(self) -> str:
        one = self.change
        return f"deal {one.deal} of {one.day}: {one.change} by the broker; {_WORDS[self.kind]}"


def of(
    settings: Settings, taken: BrokerStatement, changes: Sequence[DealChange]
) -> list[Effect]:  # fmt: skip
    """Of each change of a statement that is filed.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    given = {
        "mode": taken.funds.mode, "account": taken.funds.account,
        "deals": [change.deal for change in changes],
    }  # fmt: skip
    if not changes:
        return []
    client = connect(settings.clickhouse)
    try:
        with errors_translated():
            fills, corrected = (
                {int(deal) for (deal,) in client.query(sql, parameters=given).result_rows}
                for sql in (_FILLS, _CORRECTED)
            )
    finally:
        client.close()
    return [Effect(one, _kind(one.deal, fills, corrected)) for one in changes]


def counted(effects: Sequence[Effect]) -> dict[Kind, int]:
    """How many there are of each kind, none left out."""
    counts = Counter(effect.kind for effect in effects)
    return {kind: counts[kind] for kind in _WORDS}


def _kind(deal: int, fills: set[int], corrected: set[int]) -> Kind:
    if deal in corrected:
        return "corrects a fill"
    return "first told" if deal in fills else "no fill"
