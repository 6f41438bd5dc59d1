"""Whether new limits raise risk or lower it, field by field: what decides how many people sign.

The table says for each number which way is looser. A field that it does not know, and one whose
effect depends on others (how lots are sized), raises risk whenever it changes.
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec.structs import asdict

from core.controls.entry import Kind
from core.errors import InputError
from execution.risk import limits
from execution.risk.limits import Breakers, Limits, LimitsBook
from execution.risk.overrides import Override

Direction = Literal["raises", "lowers"]
#: A higher number lets more through, or through later.
HIGHER_RAISES = frozenset({
    "max_lots", "max_order_value", "max_order_equity", "max_position_lots", "max_position_equity",
    "max_gross_exposure", "max_gross_equity", "max_daily_loss_share", "half_at_drawdown",
    "reducing_at_drawdown", "halted_at_drawdown",
    "max_orders_per_minute",
    "max_messages_per_second", "max_repeats", "max_daily_loss", "max_drawdown", "max_quote_age_s",
    "max_spread_ratio", "collar", "lots", "risk_share", "kelly_fraction", "kelly_cap",
    "max_sized_lots",
    "crash_move_1s", "crash_move_10s", "crash_move_60s", "crash_deviations", "max_reject_share",
    "min_orders", "max_send_ms", "min_answers", "max_away_s", "max_drift_s",
    "daily_loss", "daily_loss_share", "drawdown", "drawdown_share", "max_order_lots",
    "max_open_lots", "keep_share",
})  # fmt: skip
LOWER_RAISES = frozenset({
    "repeat_window_s", "min_free_mib", "margin_share", "news_before_min", "news_after_min",
    "before_min", "after_min",
})  # fmt: skip
#: Of a firm's rules: they say what they are, and let nothing through.
_REMARKS = frozenset({"dated", "source"})
#: From the strictest to the loosest.
LADDERS: dict[str, tuple[object, ...]] = {
    "restricted": (True, False),
    **dict.fromkeys(
        ("crash", "rejects", "latency", "disconnected", "drift", "disk"),
        ("halted", "reducing", "none"),
    ),
    "on_breach": ("flatten", "halted", "reducing", "none"),
    "enforce": (True, False),
    "retail": (True, False),
    "at_stops": (True, False),
    "news_importance": ("low", "medium", "high"),
    "importance": ("low", "medium", "high"),
    "action": ("flatten", "deny", "reduce"),
}
SHIPPED = LimitsBook("shipped", Limits(), {}, {}, Breakers(), {})


class Change(NamedTuple):
    """One number of a diff. `where`: "limits", an account's or a symbol's table, "breakers"."""

    where: str
    field: str
    before: object
    after: object
    direction: Direction

    def __str__(self) -> str:
        return f"[{self.where}] {self.field}: {self.before} → {self.after} ({self.direction})"


def changes(before: LimitsBook, after: LimitsBook) -> list[Change]:
    """Every limit that another holds for, account by account and symbol by symbol."""
    differing = [
        change
        for account, symbol in _places(before, after)
        for change in _differing(
            _name(account, symbol), before.of(account, symbol), after.of(account, symbol)
        )
    ]
    for symbol in ("", *sorted({*before.flash_crash, *after.flash_crash})):
        where = f"breakers.symbols.{symbol}" if symbol else "breakers"
        differing += _differing(where, before.breakers_of(symbol), after.breakers_of(symbol))
    return [
        *differing, *_of_firms(before, after), *_of_clients(before, after),
        *_of_news(before, after),
    ]  # fmt: skip


def _of_firms(before: LimitsBook, after: LimitsBook) -> Iterator[Change]:
    """Rules of the firm that each account is under."""
    for account in sorted({*before.accounts, *after.accounts}):
        old, new = before.firm_of(account), after.firm_of(account)
        where = f"accounts.{account}.firm"
        names = old[0] if old else "", new[0] if new else ""
        if old and new:
            yield from _differing(where, old[1], new[1])
        if names[0] != names[1]:  # under another name the account's past counts anew
            yield Change(where, "name", *names, "raises" if old else "lowers")


def _of_clients(before: LimitsBook, after: LimitsBook) -> Iterator[Change]:
    """Whom each account trades for: that a file must be in order stops more than no client does."""
    for account in sorted({*before.accounts, *after.accounts}):
        old, new = before.client_of(account), after.client_of(account)
        if old != new:
            yield Change(f"accounts.{account}", "client", old, new, "raises" if old else "lowers")


def _of_news(before: LimitsBook, after: LimitsBook) -> Iterator[Change]:
    for name in sorted({*before.news, *after.news}):
        old, new = before.news.get(name), after.news.get(name)
        if old and new:
            yield from _differing(f"news.{name}", old, new)
        else:
            yield Change("news", name, bool(old), bool(new), "lowers" if new else "raises")


def raises(kind: Kind, subject: str, before: bytes | None, after: bytes) -> bool:
    """Whether a signed content raises risk against what holds; core.controls.rules.Judge.

    What cannot be read raises: it can then only be approved by somebody who knows why.
    """
    try:
        book = limits.parse(before, "limits") if before is not None else SHIPPED
        if kind == "limits":
            later = limits.parse(after, "limits")
            return any(c.direction == "raises" for c in changes(book, later))
        if kind == "override":
            return override_raises(book, msgspec.json.decode(after, type=Override))
    except (InputError, msgspec.DecodeError, UnicodeDecodeError):
        return True
    return True


def override_raises(book: LimitsBook, override: Override) -> bool:
    """Whether it is looser than the limits for anything that it holds for."""
    symbols = {override.symbol} if override.symbol else {s for _, s in _places(book, book)}
    return any(
        direction(
            override.rule,
            getattr(book.of(override.account, symbol), override.rule, None),
            override.value,
        )
        == "raises"
        for symbol in symbols
    )


def direction(field: str, before: Any, after: Any) -> Direction:
    """Which way a changed number goes."""
    if field in HIGHER_RAISES:
        return "lowers" if after <= before else "raises"
    if field in LOWER_RAISES:
        return "lowers" if after >= before else "raises"
    if field in _REMARKS:
        return "lowers"
    ladder = LADDERS.get(field, ())
    if before in ladder and after in ladder:
        return "lowers" if ladder.index(after) <= ladder.index(before) else "raises"
    return "lowers" if after == before else "raises"


def _places(before: LimitsBook, after: LimitsBook) -> list[tuple[str, str]]:
    """Every account and symbol that a table names, and those that none does."""
    accounts = {"", *before.accounts, *after.accounts}
    symbols = {"", *before.symbols, *after.symbols}
    for book in (before, after):
        for table in book.accounts.values():
            symbols |= set(table.get("symbols", {}))
    return sorted((account, symbol) for account in accounts for symbol in symbols)


def _name(account: str, symbol: str) -> str:
    parts = [f"accounts.{account}"] if account else []
    parts += [f"symbols.{symbol}"] if symbol else []
    return ".".join(parts) or "limits"


def _differing(where: str, before: msgspec.Struct, after: msgspec.Struct) -> Iterator[Change]:
    new = asdict(after)
    for field, old in asdict(before).items():
        if new[field] != old:
            yield Change(where, field, old, new[field], direction(field, old, new[field]))
