"""A proprietary trading firm's rules over one account: what is left before each, and what broke.

`FirmRecord` is execution's own memory of it, in its journal; `FirmRuleState` is what everybody
else hears, one message for each rule.
"""

import msgspec


class FirmBreach(msgspec.Struct, frozen=True, array_like=True):
    """A rule at the look that broke it. Money in account currency, lots, or minutes of news."""

    rule: str
    ts_us: int  # of the tick, in a replay; of the look at the account, live
    limit: float  # what could be lost
    observed: float  # what was lost


class FirmFigure(msgspec.Struct, frozen=True, array_like=True):
    """One rule at a moment. `left` is what is left before it, in the limit's own unit or money."""

    rule: str
    limit: float
    observed: float
    left: float
    broken_us: int = 0  # when it was first broken; 0: never
    least: float = 0.0  # that was ever left before a limit on losses
    least_us: int = 0  # when; 0 for other rules


class Least(msgspec.Struct, frozen=True, array_like=True):
    """The least that was ever left before a limit on losses."""

    rule: str
    left: float
    ts_us: int


class FirmState(msgspec.Struct, frozen=True, array_like=True):
    """What the rules need to know of the account's past. Money in account currency."""

    firm: str
    ts_us: int  # of the last look
    began_us: int  # of the first
    size: float  # balance that the account began with
    day_us: int  # when the firm's day began
    day_balance: float  # then
    day_equity: float
    high_balance: float  # highest of any look
    high_equity: float
    day_high_balance: float  # highest of any day's beginning
    day_high_equity: float
    days: int  # with an entry, before today
    traded: bool  # today
    best_day: float  # largest closed profit of a day before today
    balance: float  # at the last look
    equity: float
    paid: float = 0.0  # in less out, all that was known at the last look
    standing: tuple[str, ...] = ()  # rules that are broken at the last look
    broken: tuple[FirmBreach, ...] = ()  # the first break of each
    least: tuple[Least, ...] = ()
    lots: float = 0.0  # of all positions at the last look, long and short alike
    swaps: dict[int, float] = {}  # by position: charged and not booked yet, in a replay
    margin: float = 0.0  # a retail client's initial margin of all positions at the last look


class FirmRecord(msgspec.Struct, frozen=True, array_like=True, tag="FirmRecord/1"):
    """The state in the journal, what was newly broken at it, and its figures for the others."""

    run_id: str
    mode: str
    account: str
    ts_init_us: int
    seq: int
    version: str  # of the limits that hold the rules
    state: FirmState
    breaches: tuple[FirmBreach, ...] = ()
    figures: tuple[FirmFigure, ...] = ()
    action: str = "none"  # what a breach does: none, reducing, halted, flatten


class FirmRuleState(msgspec.Struct, frozen=True, array_like=True, tag="FirmRuleState/1"):
    """One rule of an account's firm at a moment; `headroom` is what is left before it."""

    run_id: str
    mode: str
    account: str
    firm: str
    rule: str
    ts_event_us: int
    ts_init_us: int
    seq: int  # journal sequence after which it holds
    limit: float
    observed: float
    headroom: float
    broken_us: int = 0  # when it was first broken; 0: never
    limits_version: str = ""
    least_headroom: float = 0.0  # that there ever was before a limit on losses
    least_us: int = 0  # when; 0 for other rules


def messages(record: FirmRecord) -> list[FirmRuleState]:
    """What is told of a record."""
    return [
        FirmRuleState(
            run_id=record.run_id, mode=record.mode, account=record.account,
            firm=record.state.firm, rule=figure.rule, ts_event_us=record.state.ts_us,
            ts_init_us=record.ts_init_us, seq=record.seq, limit=figure.limit,
            observed=figure.observed, headroom=figure.left, broken_us=figure.broken_us,
            limits_version=record.version, least_headroom=figure.least, least_us=figure.least_us,
        )
        for figure in record.figures
    ]  # fmt: skip
