"""Orders: what happened to each, in the field's own words.

**Denied** is ours (a risk check), **rejected** is the venue's. An order's state is a fold over
its events; events are never changed.
"""

import enum

import msgspec

from core.contracts.firm import FirmRuleState
from core.contracts.twin import TwinComparison


class EventKind(enum.StrEnum):
    """What happened to an order."""

    RECEIVED = "received"  # a signal asks for a position
    SUPERSEDED = "superseded"  # a newer target replaced it before it was sent
    DENIED = "denied"  # a risk check of ours refused it
    SUBMITTED = "submitted"  # journalled, about to be sent
    ACCEPTED = "accepted"  # the venue took it
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    REJECTED = "rejected"  # the venue refused it
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # sent, no answer: reconcile, never resend
    RECONCILED = "reconciled"  # an unknown order was settled against the venue
    CLOSED = "closed"  # the broker closed a position: stop, take-profit, stop-out, by hand
    STOP_MOVING = "stop_moving"  # journalled, about to ask the venue for another stop
    STOP_MOVED = "stop_moved"  # the venue has another stop: asked for, or moved by a person there
    STOP_KEPT = "stop_kept"  # the venue kept the old one
    CANCELLING = "cancelling"  # journalled, about to take a working order back
    MODIFYING = "modifying"  # journalled, about to ask the venue for other terms of a working order
    MODIFIED = "modified"  # it waits under the new terms: price and stop of the event
    UNMODIFIED = "unmodified"  # it waits under the old ones
    BOOKED = "booked"  # the broker's own: others' trades, deposits, corrections; no order of ours


class DenialReason(enum.StrEnum):
    """Why we refused an order. The value is stored and shown to people."""

    HALTED = "halted"
    REDUCING = "reducing"  # only orders that reduce risk pass
    STALE_SIGNAL = "stale_signal"
    STALE_QUOTE = "stale_quote"
    DUPLICATE = "duplicate"
    OVERSIZED = "oversized"
    TOO_MANY = "too_many"  # orders per interval
    OFF_PRICE = "off_price"  # reference price too far from the live quote
    WIDE_SPREAD = "wide_spread"
    MARKET_CLOSED = "market_closed"
    UNKNOWN_SYMBOL = "unknown_symbol"
    NO_CONVERSION_RATE = "no_conversion_rate"
    NO_MARGIN = "no_margin"
    BELOW_MINIMUM = "below_minimum"  # smaller than one lot step
    RESTRICTED = "restricted"  # the limits file closes this symbol
    ORDER_VALUE = "order_value"
    POSITION_LIMIT = "position_limit"  # net lots of a feed
    GROSS_EXPOSURE = "gross_exposure"
    MESSAGE_RATE = "message_rate"  # orders per second
    THROTTLED = "throttled"  # repeated too often; a person must release it
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    FUTURE_SIGNAL = "future_signal"  # dated after our clock: not taken up at all
    UNKNOWN_STRATEGY = "unknown_strategy"  # of a strategy that does not run here
    SIGNAL_RATE = "signal_rate"  # signals per second
    FIRM_DAILY_LOSS = "firm_daily_loss"  # too little left before the firm's rule
    FIRM_DRAWDOWN = "firm_drawdown"
    FIRM_LOTS = "firm_lots"  # of the order, or of all positions with it
    NEWS = "news"  # around an event of the economic calendar
    NO_CALENDAR = "no_calendar"  # the calendar says nothing of now
    SYMBOL_TAKEN = "symbol_taken"  # netting account: an order that waits needs it for itself
    VALUE_AT_RISK = "value_at_risk"  # of all positions with this one: 99 %, one day
    EXPECTED_SHORTFALL = "expected_shortfall"
    ORDER_RISK = "order_risk"  # what this order adds to the value at risk
    CURRENCY_EXPOSURE = "currency_exposure"  # held or owed of one currency
    CORRELATED_EXPOSURE = "correlated_exposure"  # of all exposures, what moves with this symbol
    STRESS_LOSS = "stress_loss"  # in the worst scenario
    REGIME = "regime"  # the strategy trades in other regimes of this feed, or nobody knows which
    STALE_RISK = "stale_risk"  # the stream's figures are too old, or say nothing yet
    UNFIT_ORDER = "unfit_order"  # an order to wait that no venue could take
    ORDER_PRICE = "order_price"  # the market has reached its price, or is too near
    RETAIL_MARGIN = "retail_margin"  # more than a retail client's equity covers, by ESMA's shares
    CLIENT_FILE = "client_file"  # a document of the account's client lacks, or has run out
    STALE_CLIENT_FILE = "stale_client_file"  # nobody has checked clients' files for too long
    ORDER_WORKS = "order_works"  # one of its name or beside a target waits, or its group is filled


class OrderEvent(msgspec.Struct, frozen=True, array_like=True, tag="OrderEvent/1"):
    """One event of one order. Prices in quote currency, volumes in lots, money in account currency.

    `seq` numbers the journal's records from 1 without gaps; `hash` chains each to the one before.
    """

    seq: int
    event_id: str  # order_id + "." + count within the order
    kind: EventKind
    run_id: str
    mode: str
    account: str
    strategy: str
    order_id: str
    signal_id: str
    source: str
    symbol: str
    ts_event_us: int  # market time (the venue's, for what the venue did)
    ts_init_us: int  # when journalled; in a replay the market's time
    side: str = ""  # "buy", "sell"
    #: "entry"; "horizon", "opposite", "flatten" for closings; "trail", "halt"; for what the
    #: broker did its reason: "stop", "take_profit", "stop_out", "manual", "deposit", ...
    purpose: str = ""
    volume: float = 0.0  # lots asked for, or of this fill
    price: float = 0.0  # asked for, or of this fill
    arrival_mid: float = 0.0  # mid when the decision arrived, for slippage
    stop_price: float = 0.0
    reason: str = ""  # DenialReason, or the venue's return code and text
    limit: float = 0.0  # of the check that denied
    observed: float = 0.0  # what that check saw
    limits_version: str = ""
    venue_order: int = 0  # the venue's order ticket
    venue_deal: int = 0  # the venue's deal ticket
    venue_position: int = 0  # the venue's position ticket
    commission: float = 0.0
    swap: float = 0.0
    profit: float = 0.0  # realised by this fill, without commission and swap
    previous_hash: str = ""
    hash: str = ""
    session_id: str = ""  # start that journalled it; "" in a replay, whose run is its session


class PositionState(msgspec.Struct, frozen=True, array_like=True, tag="PositionState/1"):
    """One symbol's net position after a change. `volume` is signed lots."""

    run_id: str
    mode: str
    account: str
    strategy: str
    source: str
    symbol: str
    ts_event_us: int
    ts_init_us: int
    seq: int  # journal sequence after which it holds
    volume: float
    price: float  # average entry
    stop_price: float
    profit_realised: float  # since the run began, after costs, account currency


class AccountState(msgspec.Struct, frozen=True, array_like=True, tag="AccountState/1"):
    """The account as the terminal reports it, account currency."""

    run_id: str
    mode: str
    account: str
    ts_event_us: int
    ts_init_us: int
    seq: int
    currency: str
    balance: float
    equity: float
    margin: float


class ExecutionMarker(msgspec.Struct, frozen=True, array_like=True, tag="ExecutionMarker/1"):
    """Execution has handled a replay's slice (`end`: the last one)."""

    run_id: str
    slice: int
    ts_event_us: int
    end: bool = False


OrderMessage = (
    OrderEvent | PositionState | AccountState | ExecutionMarker | TwinComparison | FirmRuleState
)
