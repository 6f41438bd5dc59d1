"""Whether an entry may go under a firm's rules: it is denied before it could break one."""

import math
from typing import NamedTuple

from core.contracts.firm import FirmState
from core.contracts.order import DenialReason, OrderEvent
from execution.journal.position import Position
from execution.risk import firm_rules
from execution.risk.checks import Denial
from execution.risk.firm_rules import FirmRules

_REASONS = {
    firm_rules.DAILY_LOSS: DenialReason.FIRM_DAILY_LOSS,
    firm_rules.DRAWDOWN: DenialReason.FIRM_DRAWDOWN,
}


class Stake(NamedTuple):
    """What stands to be lost: a position, or an order that opens one. `volume` is signed lots."""

    feed: tuple[str, str]
    volume: float
    stop_price: float

    @classmethod
    def of_position(cls, held: Position) -> "Stake":
        """A position of ours."""
        return cls((held.key.source, held.key.symbol), held.volume, held.stop_price)

    @classmethod
    def of_order(cls, order: OrderEvent) -> "Stake":
        """An entry."""
        signed = order.volume if order.side == "buy" else -order.volume
        return cls((order.source, order.symbol), signed, order.stop_price)

    def loss(self, mid: float, value: float) -> float:
        """From the mid to the stop; infinite without a stop. `value`: notional at the mid."""
        if self.stop_price <= 0:
            return math.inf
        distance = mid - self.stop_price if self.volume > 0 else self.stop_price - mid
        return value * max(distance, 0.0) / mid


def check_firm(
    rules: FirmRules, state: FirmState | None, account: tuple[float, float], volume: float,
    open_lots: float, at_risk: float, margin: float = 0.0,
) -> Denial | None:  # fmt: skip
    """Why an entry may not go, or None. Nothing is denied by rules that are only watched.

    Args:
        state: None while nobody has looked at the account: then nothing may go.
        account: balance and equity now.
        volume: lots of the order.
        open_lots: of all positions and orders on their way, long and short alike.
        at_risk: what this order and all positions lose from now to their stops; infinite where
            one has no stop or no rate converts it.
        margin: a retail client's, of all positions and this order; infinite without a rate.
    """
    if not rules.enforce:
        return None
    denial = _lots(rules, volume, open_lots)
    if denial is not None:
        return denial
    if rules.retail and not margin <= account[1]:
        return Denial(DenialReason.RETAIL_MARGIN, account[1], margin)
    if state is None:
        return Denial(DenialReason.FIRM_DRAWDOWN, 0.0, math.inf)
    risk = at_risk if rules.at_stops else 0.0
    for figure in firm_rules.room(rules, state, *account):
        most = figure.limit * (1 - rules.margin_share)
        if not figure.observed + risk < most:  # also where the terminal says no number
            return Denial(_REASONS[figure.rule], most, figure.observed + risk)
    return None


def _lots(rules: FirmRules, volume: float, open_lots: float) -> Denial | None:
    if volume > rules.max_order_lots + 1e-9:
        return Denial(DenialReason.FIRM_LOTS, rules.max_order_lots, volume)
    after = round(open_lots + volume, 8)
    if after > rules.max_open_lots + 1e-9:
        return Denial(DenialReason.FIRM_LOTS, rules.max_open_lots, after)
    return None
