"""A desk's strategies as they decide, and all that they are made of as one text.

The text is what a session keeps and a run's id counts: the desk as it was written, and every
person's own strategy with what it imports.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.desk import CHAMPION, Desk, DeskStrategy, parse
from core.errors import SettingsError
from core.sections import ExitSettings, SignalSettings
from core.settings import Settings
from core.strategy_set import unpack
from strategies import plugins
from strategies.folded import FoldedStrategy, remembers
from strategies.pairs_form import PairsStrategy, sees_several
from strategies.protocol import CheckedStrategy, Strategy
from strategies.select import select


class Member(NamedTuple):
    """One strategy with what it decides by. `alone`: no desk, all that a feed held is its own."""

    name: str
    strategy: Strategy | FoldedStrategy | PairsStrategy
    signals: SignalSettings
    exits: ExitSettings = ExitSettings()
    symbols: tuple[str, ...] = ()
    model: str = CHAMPION  # whose predictions it sees
    alone: bool = True
    own_horizon_s: float = 0.0  # 0: the strategy's
    version: str = ""  # what is remembered under another one counts for nothing
    groups: tuple[tuple[str, ...], ...] = ()  # of symbols it sees together

    @property
    def sees_champion(self) -> bool:
        """Whether it sees what the champion predicts."""
        return self.model == CHAMPION

    @property
    def horizon_s(self) -> float:
        """How long a position is held at most: the desk has the last word."""
        return self.own_horizon_s or self.strategy.horizon_s

    def trades(self, symbol: str) -> bool:
        """Whether it decides on a symbol."""
        if self.groups:
            return bool(self.group_of(symbol))
        return not self.symbols or symbol in self.symbols

    def group_of(self, symbol: str) -> tuple[str, ...]:
        """The symbols that are looked at together with this one; none: by itself."""
        return next((group for group in self.groups if symbol in group), ())


class DeskText(msgspec.Struct, frozen=True, tag="Desk/1"):
    """What a desk is made of. `strategies`: texts of people's own by name."""

    desk: str
    strategies: dict[str, str]


def members(desk: Desk, settings: Settings, folder_of: Callable[[str], Path]) -> tuple[Member, ...]:
    """The strategies, ready to decide.

    Args:
        folder_of: where a person's own strategy of a name lies.

    Raises:
        SettingsError: no such strategy, or one that is broken.
    """

    @cache  # a name costs a look through all installed packages
    def text_of(use: str) -> bytes:
        return plugins.content(use, folder_of(use))

    return tuple(
        _member(
            one, settings.signals, settings.exits, folder_of(one.use), text_of(one.use), desk.alone
        )
        for one in desk.strategies
    )


def member(
    one: DeskStrategy, signals: SignalSettings, exits: ExitSettings, folder: Path, *, alone: bool
) -> Member:
    """One of them.

    Raises:
        SettingsError: as `members`.
    """
    return _member(one, signals, exits, folder, plugins.content(one.use, folder), alone)


def _member(
    one: DeskStrategy, signals: SignalSettings, exits: ExitSettings, folder: Path, text: bytes,
    alone: bool,
) -> Member:  # fmt: skip
    own = one.signal_settings(signals)
    decides = text + msgspec.json.encode(own)
    strategy = select(one.use, own, folder)
    _refuse_unfit_groups(one, strategy)
    return Member(
        name=one.name, strategy=strategy, signals=own, exits=one.exit_settings(exits),
        symbols=one.symbols, model=one.model, alone=alone,
        own_horizon_s=one.signals.get("horizon_s", 0.0),
        version=hashlib.sha256(decides).hexdigest()[:12], groups=one.pairs,
    )  # fmt: skip


def _refuse_unfit_groups(one: DeskStrategy, strategy: object) -> None:
    several, size = sees_several(strategy), getattr(strategy, "group_size", 0)
    if several and not one.pairs:
        raise SettingsError(
            f"strategy {one.name}: it looks at several symbols at once; name them in a desk file:"
            ' pairs = [["EURUSD", "GBPUSD"]] (docs/how-to/run-a-desk.md)'
        )
    if several and one.named_model:
        raise SettingsError(
            f"strategy {one.name}: one over several symbols sees no model: take `model` away"
        )
    if one.pairs and not several:
        raise SettingsError(
            f"strategy {one.name}: {one.use} looks at one symbol at a time: write `symbols`"
        )
    for group in one.pairs:
        if size and len(group) != size:
            raise SettingsError(
                f"strategy {one.name}: pairs {', '.join(group)}: {one.use} takes {size} symbols"
            )


def same_rule(one: object, other: object) -> bool:
    """Whether two give the same targets: of one class, and all that they hold is equal.

    A strategy looks at rows and at itself, and at nothing else; one that ships does not look at
    its horizon. One that remembers, or whose parts cannot be compared, is like no other.
    """
    if any(remembers(each) or sees_several(each) for each in (one, other)):
        return False
    passed_over = {"horizon_s"}
    if isinstance(one, CheckedStrategy) and isinstance(other, CheckedStrategy):
        one, other, passed_over = one.own, other.own, set()
    if type(one) is not type(other):
        return False
    try:
        mine, theirs = (
            {k: v for k, v in vars(each).items() if k not in passed_over} for each in (one, other)
        )
        return one is other or bool(mine == theirs)
    except (TypeError, ValueError):  # no attributes of its own, or arrays
        return False


def content(desk: Desk, folder_of: Callable[[str], Path]) -> bytes:
    """What it is made of; of one alone what its plug-in is made of, b"" when that ships."""
    uses = sorted({one.use for one in desk.strategies})
    texts = {use: plugins.content(use, folder_of(use)) for use in uses}
    if desk.alone:
        return texts[uses[0]]
    own = {use: text.decode("utf-8") for use, text in texts.items() if text}
    return msgspec.json.encode(DeskText(desk.content.decode(), own), order="sorted")


def digest(desk: Desk, folder_of: Callable[[str], Path]) -> str:
    """SHA-256 of what it is made of; "" for one alone that ships."""
    body = content(desk, folder_of)
    return hashlib.sha256(body).hexdigest() if body else ""


def kept(body: bytes) -> DeskText | None:
    """The desk that a session kept; None: it kept one strategy, or nothing."""
    try:
        return msgspec.json.decode(body, type=DeskText)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def unpacked(text: DeskText, folder: Path) -> Desk:
    """The desk, with its strategies' files written into a folder each, named after them."""
    for name, own in text.strategies.items():
        unpack(own.encode(), name, folder / name)
    return parse(text.desk.encode(), "the session's desk")
