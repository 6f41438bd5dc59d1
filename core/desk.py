"""The desk: which strategies run in one stack, each with its symbols, capital share and mode.

`desk.toml` in the home says it, one table `[strategies.<name>]` each, with `signals` and `exits`
below it for settings that are the strategy's own. `--strategy a,b,c` is the same in short: every
one has an equal share. One name alone is no desk: that strategy has all of the account, and what it
decides is what it decided before there were desks.
"""

import difflib
import hashlib
import math
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from core.errors import InputError, SettingsError
from core.sections import ExitSettings, SignalSettings
from core.toml_lines import line_of

#: No strategy: what those that share a netting account's positions leave to none of them.
NETTING = "netting"
#: What `run.strategy` says when the file holds.
DESK = "desk"
#: Whose predictions a strategy sees, where it names no model.
CHAMPION, NO_MODEL = "champion", "none"
_MODEL = re.compile(r"[0-9a-f]{12,64}")  # fewer digits could be another model's one day
#: The account's, or a champion's: not a strategy's to choose.
_NOT_ITS_OWN = {
    "signals": ("scripted_horizon_s", "new_champion_hours", "new_champion_share"),
    "exits": ("trail_step", "trail_interval_s"),
    "limits": (),
}


class StrategyLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one strategy may do, measured on it alone; the account's limits hold all the same.

    Its capital is its share of the account's equity.
    """

    max_lots: float = math.inf  # of one order
    max_position_lots: float = math.inf  # net lots in one feed
    max_gross_capital: float = math.inf  # notional of its positions and the order, in capitals
    max_orders_per_minute: float = math.inf  # entries in one feed
    max_daily_loss_share: float = math.inf  # of its capital when the trading day began
    #: It enters only while the feed is in one of these; empty: in any.
    regimes: tuple[Literal["calm", "normal", "wild"], ...] = ()
    calm_share: float = 1.0  # of a full position while the feed is calm; 0: no entry
    normal_share: float = 1.0
    wild_share: float = 1.0

    @property
    def uses_regimes(self) -> bool:
        """Whether anything depends on the regime."""
        return bool(self.regimes) or set(self._shares.values()) != {1.0}

    @property
    def _shares(self) -> dict[str, float]:
        shares = {"calm": self.calm_share, "normal": self.normal_share, "wild": self.wild_share}
        return {r: s if r in self.regimes or not self.regimes else 0.0 for r, s in shares.items()}

    def regime_share(self, regime: str) -> float:
        """Of a full position in a regime; in one that nobody knows the least of all."""
        shares = self._shares
        return shares.get(regime, min(shares.values()))


_SECTIONS: dict[str, type[msgspec.Struct]] = {
    "signals": SignalSettings, "exits": ExitSettings, "limits": StrategyLimits,
}  # fmt: skip
_LATER = ("pairs",)
_NAME = re.compile(r"[A-Za-z_][\w-]{0,63}")


class DeskStrategy(msgspec.Struct, frozen=True):
    """One strategy of a desk.

    Attributes:
        name: what its signals, orders and positions are called.
        use: what it is: one that ships, or a person's own.
        symbols: it decides on these; empty: on every one that is collected.
        share: of the account's capital, above 0 up to 1: a full position is this share of what the
            limits say.
        mode: shadow: journalled, never sent; demo: sent to a simulated terminal alone; live: as
            the stack; "": live.
        model: whose predictions it sees: the champion's, nobody's, or those of the model whose
            hash begins so.
        signals, exits: settings of those sections that are its own.
        limits: see StrategyLimits.
        pairs: groups of symbols that it sees together, each symbol in one; instead of `symbols`.
    """

    name: str
    use: str
    symbols: tuple[str, ...] = ()
    share: float = 1.0
    mode: Literal["", "shadow", "demo", "live"] = ""
    model: str = CHAMPION
    signals: dict[str, Any] = {}
    exits: dict[str, Any] = {}
    limits: dict[str, Any] = {}
    pairs: tuple[tuple[str, ...], ...] = ()

    @property
    def version(self) -> str:
        """Twelve hex digits of its settings' hash: what is the same decides the same."""
        content = msgspec.json.encode(_without_unset(self), order="sorted")
        return hashlib.sha256(content).hexdigest()[:12]

    @property
    def follows_model(self) -> bool:
        """Whether it is the one that does nothing without a model."""
        return self.use == "model" and self.model == CHAMPION

    @property
    def named_model(self) -> str:
        """The beginning of the hash of the model that it names; "" of one that names none."""
        return "" if self.model in (CHAMPION, NO_MODEL) else self.model

    def signal_settings(self, shared: SignalSettings) -> SignalSettings:
        """The stack's, with its own."""
        own = self.signals
        if "horizon_s" in own:  # one word for every strategy, also for the rule that is for tests
            own = {**own, "scripted_horizon_s": own["horizon_s"]}
        return replace(shared, **own)

    def exit_settings(self, shared: ExitSettings) -> ExitSettings:
        """The stack's, with its own."""
        return replace(shared, **self.exits)

    @property
    def own_limits(self) -> StrategyLimits:
        """Those that were written; no limit where none was."""
        return msgspec.convert(self.limits, StrategyLimits)

    def trades(self, symbol: str) -> bool:
        """Whether it decides on a symbol."""
        return not self.all_symbols or symbol in self.all_symbols

    @property
    def all_symbols(self) -> tuple[str, ...]:
        """Those it decides on, in groups or alone; empty: every one that is collected."""
        return self.symbols or tuple(symbol for group in self.pairs for symbol in group)

    def sends(self, *, simulated: bool) -> bool:
        """Whether what it decides may be sent, to a terminal that is simulated or not."""
        return self.mode in ("", "live") or (self.mode == "demo" and simulated)


class Desk(NamedTuple):
    """All strategies, in the order in which they decide on a row. `content`: b"" of one alone."""

    strategies: tuple[DeskStrategy, ...]
    content: bytes = b""

    @property
    def alone(self) -> bool:
        """Whether there is no desk: one strategy, with the whole account."""
        return not self.content

    @property
    def named_models(self) -> tuple[str, ...]:
        """Models that strategies name, each once, in a fixed order."""
        return tuple(sorted({one.named_model for one in self.strategies} - {""}))

    @property
    def uses_regimes(self) -> bool:
        """Whether what any strategy may do depends on a feed's regime."""
        return any(one.limits and one.own_limits.uses_regimes for one in self.strategies)

    @property
    def names(self) -> tuple[str, ...]:
        """Of all strategies."""
        return tuple(one.name for one in self.strategies)

    def named(self, name: str) -> DeskStrategy | None:
        """The strategy of a name."""
        return next((one for one in self.strategies if one.name == name), None)

    def share(self, name: str) -> float:
        """Of the capital. One that does not belong to a desk has nothing."""
        one = self.named(name)
        return one.share if one else float(self.alone)

    def sends(self, name: str, *, simulated: bool) -> bool:
        """Whether orders of a strategy may be sent."""
        one = self.named(name)
        return one.sends(simulated=simulated) if one else self.alone

    def refuse_unknown_symbols(self, collected: Collection[str]) -> None:
        """Raises SettingsError: a strategy is to decide on a symbol of which no ticks come."""
        for one in self.strategies:
            for symbol in one.all_symbols:
                if symbol not in collected:
                    raise SettingsError(
                        f"strategy {one.name}: symbol {symbol} is not collected; there are"
                        f" {', '.join(sorted(collected))}: correct its symbols, or add it to"
                        " terminal.symbols"
                    )


def path_in(home: Path) -> Path:
    """Where a home's desk is written."""
    return home / "desk.toml"


def one_alone(name: str) -> Desk:
    """No desk: the one strategy of `run.strategy`."""
    return Desk((DeskStrategy(name, name),))


def of_names(names: str) -> Desk:
    """The strategies of `a,b,c`, with equal shares.

    Raises:
        SettingsError: one is named twice, or not at all.
    """
    listed = [name.strip() for name in names.split(",")]
    for number, name in enumerate(listed):
        if not _NAME.fullmatch(name):
            raise SettingsError(f"--strategy {names}: {name!r} is no name of a strategy")
        if name in listed[:number]:
            raise SettingsError(
                f"--strategy {names}: {name} is named twice; to run it twice with other settings,"
                " write a desk file"
            )
    return parse("".join(f"[strategies.{name}]\n" for name in listed).encode(), names)


def parse(content: bytes, name: str) -> Desk:
    """The desk of a file's bytes; `name` is the file, for errors.

    Raises:
        InputError: with the line, the key, and the nearest known one.
    """
    page = _Page(name, content.decode("utf-8", "replace"))
    try:
        written = tomllib.loads(page.text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(name, f"not TOML, or a strategy twice: {error}") from error
    for key in written:
        if key != "strategies":
            raise page.error("", key, f"unknown{_nearest(key, ('strategies',))}")
    tables = page.table("", "strategies", written.get("strategies", {}))
    if not tables:
        raise InputError(name, "no strategy: write [strategies.<name>] for each")
    strategies = [_strategy(page, key, tables[key]) for key in tables]
    return Desk(_with_shares(page, strategies, tables), content)


class _Page:
    """The text of a file, to say in which line something is wrong."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text

    def table(self, parent: str, key: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self.error(parent, key, f"is a table: write [{parent}.{key}]".replace("[.", "["))
        return value

    def error(self, table: str, key: str, problem: str) -> InputError:
        where = f"[{table}] {key}" if table else key
        return InputError(self.name, f"{where}: {problem}", line_of(self.text, table, key))


def _strategy(page: _Page, name: str, value: Any) -> DeskStrategy:
    table = page.table("strategies", name, value)
    at, known = f"strategies.{name}", DeskStrategy.__struct_fields__[1:]
    if not _NAME.fullmatch(name):
        raise page.error("strategies", name, "is no name: letters, digits, _ and -")
    if name == NETTING:
        raise page.error("strategies", name, "is the name of what strategies that share a netting"
                         " account's positions leave to none of them: choose another")  # fmt: skip
    for key, given in table.items():
        if key not in known:
            raise page.error(at, key, f"unknown{_nearest(key, known)}")
        if key in _SECTIONS:
            _check_section(page, at, key, page.table(at, key, given))
        else:
            _check_type(page, at, key, given)
    use = table.get("use", name)
    one = msgspec.convert({**table, "name": name, "use": use}, DeskStrategy)
    if one.named_model and not _MODEL.fullmatch(one.named_model):
        raise page.error(
            at, "model", f"{one.model!r}: champion, none, or at least the first 12 hexadecimal"
            " digits of a model's hash (tickhouse models list)"
        )  # fmt: skip
    if len(set(one.symbols)) < len(one.symbols):
        raise page.error(at, "symbols", "a symbol is named twice")
    _check_pairs(page, at, one)
    if not 0.0 < one.share <= 1.0:
        raise page.error(at, "share", f"{one.share:g}: a share is above 0 and at most 1 (100 %)")
    return one


def _check_pairs(page: _Page, at: str, one: DeskStrategy) -> None:
    if one.symbols and one.pairs:
        raise page.error(at, "pairs", "says the symbols: leave `symbols` out")
    grouped = [symbol for group in one.pairs for symbol in group]
    if len(set(grouped)) < len(grouped):
        raise page.error(at, "pairs", "a symbol is named twice: one position cannot serve two")
    if any(len(group) < 2 for group in one.pairs):
        raise page.error(at, "pairs", "a pair has two symbols at least")


def _without_unset(one: DeskStrategy) -> dict[str, Any]:
    """Its values; a key that came later only where it is used, so that versions of before stay."""
    values: dict[str, Any] = msgspec.to_builtins(one)
    return {key: value for key, value in values.items() if value or key not in _LATER}


def _check_type(page: _Page, table: str, key: str, given: Any) -> None:
    try:
        msgspec.convert({"name": "", "use": "", key: given}, DeskStrategy)
    except msgspec.ValidationError as error:
        raise page.error(table, key, str(error).partition(" - at")[0]) from error


def _check_section(page: _Page, at: str, section: str, given: Mapping[str, Any]) -> None:
    kind, table = _SECTIONS[section], f"{at}.{section}"
    known = [name for name in kind.__struct_fields__ if name not in _NOT_ITS_OWN[section]]
    for key, value in given.items():
        if key not in known:
            raise page.error(table, key, f"is none of a strategy's own{_nearest(key, known)}")
        try:
            msgspec.convert({key: value}, kind)
        except msgspec.ValidationError as error:
            raise page.error(table, key, str(error).partition(" - at")[0]) from error
        most = math.inf if section == "limits" else 1e9
        if key in ("calm_share", "normal_share", "wild_share") and not 0 <= value <= 1:
            raise page.error(table, key, f"{value}: a share is from 0 to 1 (100 %)")
        if isinstance(value, int | float) and not 0 <= value <= most:
            raise page.error(table, key, f"{value}: a number from 0 on")


def _with_shares(
    page: _Page, strategies: list[DeskStrategy], tables: Mapping[str, Mapping[str, Any]]
) -> tuple[DeskStrategy, ...]:
    """Equal ones where nobody wrote any; else all are written, and sum to 100 % at most."""
    without = [name for name, table in tables.items() if "share" not in table]
    if len(without) == len(strategies):
        return tuple(replace(one, share=1.0 / len(strategies)) for one in strategies)
    if without:
        raise page.error(
            "strategies", without[0], "has no share, others have: write it for all or for none"
        )
    total = math.fsum(one.share for one in strategies)
    if total > 1.0 + 1e-9:
        raise page.error(
            f"strategies.{strategies[-1].name}", "share",
            f"all shares together are {total:.1%}: at most 100 % of the account can be shared out",
        )  # fmt: skip
    return tuple(strategies)


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    match = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {match[0]!r}?" if match else f"; known: {', '.join(known)}"
