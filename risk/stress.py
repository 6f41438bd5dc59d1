"""Stress scenarios: what has happened, or might, to what is held now.

A scenario is a TOML file with a version and its source: moves of currencies against the US dollar,
moves of single symbols (which win), a factor on spreads, and how long nothing can be closed. A
pair moves by its base against its quote; a currency that is not named stays where the dollar is.
A symbol that the scenario says nothing of is listed, never passed over silently.

Positions are revalued in full, conversion included; half of a wider spread is paid to close. Who
cannot close for a time loses the deviations the scenario says of the portfolio's volatility over
that time (parametric, shrunk covariance) besides.
"""

import hashlib
import math
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from core import instruments
from core.contracts.risk import StressShock
from core.errors import InputError
from risk.covariance import Covariance
from risk.exposure import Feed, Holding, exposures, unit
from risk.value_at_risk import deviation

_HOUR, _DAY = 60, 1440
DOLLAR = "USD"


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of them. Moves are shares: -0.1 is a fall of 10 %."""

    name: str
    version: str
    title: str
    source: str  # where its figures are from; "hypothetical" is one
    currencies: dict[str, float] = {}  # value in US dollars
    symbols: dict[str, float] = {}  # price
    spread_factor: float = 1.0
    away_hours: float = 0.0  # nothing can be closed for so long
    away_deviations: float = 2.326  # of the portfolio over that time: 99 % of a normal law


class Outcome(NamedTuple):
    """What a scenario does to holdings, account currency."""

    scenario: Scenario
    profit: float
    by_feed: dict[Feed, float]
    untouched: tuple[str, ...]  # symbols held that it says nothing of
    factor: float  # how many times it loses the target; infinite when it never does

    @property
    def worst(self) -> Feed | None:
        """The feed that loses most; None when none loses."""
        feed = min(self.by_feed, key=lambda f: self.by_feed[f], default=None)
        return feed if feed is not None and self.by_feed[feed] < 0 else None


class Prices(NamedTuple):
    """Of a moment: newest mid and spread of each feed, price units."""

    ts_us: int
    mids: Mapping[Feed, float]
    spreads: Mapping[Feed, float]


def parse(content: bytes, name: str) -> Scenario:
    """A scenario of a file's bytes; its version gets the hash of them.

    Raises:
        InputError: no scenario, an unknown symbol or currency, an impossible move.
    """
    try:
        scenario = msgspec.convert(tomllib.loads(content.decode("utf-8")), Scenario)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InputError(name, f"no scenario: {error}") from error
    known = instruments.known()
    currencies = {c for entries in known.values() for e in entries for c in (e.base, e.quote)}
    for symbol in sorted(set(scenario.symbols) - set(known)):
        raise InputError(name, f"unknown symbol {symbol}: tickhouse instruments lists those known")
    for currency in sorted(set(scenario.currencies) - currencies - _PEERS):
        every = ", ".join(sorted(currencies))
        raise InputError(name, f"unknown currency {currency}; known: {every}")
    if wrong := _impossible(scenario):
        raise InputError(name, wrong)
    digest = hashlib.sha256(content).hexdigest()[:12]
    return msgspec.structs.replace(scenario, version=f"{scenario.version}+{digest}")


#: Of scenarios that ship, and of no instrument that does.
_PEERS = frozenset({"NOK", "SEK", "DKK", "PLN", "MXN", "ZAR", "TRY", "CNH", "XAG"})


def _impossible(scenario: Scenario) -> str:
    if DOLLAR in scenario.currencies:
        return "currencies move against the US dollar, so USD itself cannot"
    for name, move in (*scenario.currencies.items(), *scenario.symbols.items()):
        if not -1 < move < math.inf:
            return f"{name} = {move}: a price cannot fall by 100 % or more"
    if not (0 < scenario.spread_factor < math.inf and 0 <= scenario.away_hours < math.inf):
        return "spread_factor > 0 and away_hours >= 0 have to hold"
    if not scenario.source.strip() or not scenario.name.strip():
        return "name and source are needed: say where the figures are from, or hypothetical"
    return ""


def shipped() -> list[Scenario]:
    """Those that ship, by name."""
    folder = resources.files("risk").joinpath("scenarios")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return [parse(file.read_bytes(), file.name) for file in files]


def available(home: Path) -> list[Scenario]:
    """What ships and the user's own in `<home>/scenarios`, which win by name.

    Raises:
        InputError: a file of the user's has a mistake, or two have one name.
    """
    own: dict[str, Scenario] = {}
    for path in sorted((home / "scenarios").glob("*.toml")):
        scenario = parse(path.read_bytes(), str(path))
        if scenario.name in own:
            raise InputError(str(path), f"a second scenario of the name {scenario.name}")
        own[scenario.name] = scenario
    return list(({s.name: s for s in shipped()} | own).values())


def move(scenario: Scenario, symbol: str, at_us: int) -> float | None:
    """What a symbol's price does, a share; None when the scenario says nothing of it."""
    if symbol in scenario.symbols:
        return scenario.symbols[symbol]
    traded = instruments.instrument(symbol, at_us)
    sides = {traded.base, traded.quote} if traded else set()
    if traded is None or not sides & set(scenario.currencies):
        return 0.0 if sides and _moves_nothing(scenario) else None
    base, quote = (scenario.currencies.get(c, 0.0) for c in (traded.base, traded.quote))
    return (1 + base) / (1 + quote) - 1


def _moves_nothing(scenario: Scenario) -> bool:
    return not scenario.currencies and not scenario.symbols


def outcome(
    scenario: Scenario, holdings: Sequence[Holding], prices: Prices, account: str,
    covariance: Covariance, *, loses: float = math.inf,
) -> Outcome:  # fmt: skip
    """What a scenario does to holdings.

    Args:
        scenario: see `available`.
        holdings: of one account, or one strategy.
        prices: of the moment.
        account: currency.
        covariance: of minutes, for the time in which nothing can be closed.
        loses: money, for reverse stress.

    Raises:
        ValueError: something held cannot be valued.
    """
    by_feed, untouched = _revalued(scenario, holdings, prices, account)
    profit = sum(by_feed.values()) - _waited(scenario, holdings, prices, account, covariance)
    factor = _factor(scenario, holdings, prices, account, covariance, loses)
    return Outcome(scenario, profit, by_feed, untouched, factor)


def _scaled(scenario: Scenario, factor: float) -> Scenario:
    """Moves so many times as large, compounded; spreads and waiting so many times as much."""
    scaled = {
        name: {key: math.exp(math.log1p(value) * factor) - 1 for key, value in table.items()}
        for name, table in (("currencies", scenario.currencies), ("symbols", scenario.symbols))
    }
    return msgspec.structs.replace(
        scenario, **scaled, spread_factor=1 + (scenario.spread_factor - 1) * factor,
        away_deviations=scenario.away_deviations * factor,
    )  # fmt: skip


def _factor(
    scenario: Scenario, holdings: Sequence[Holding], prices: Prices, account: str,
    covariance: Covariance, loses: float,
) -> float:  # fmt: skip
    """The least multiple of a scenario that loses so much, by bisection up to 32 times."""

    def lost(factor: float) -> float:
        scaled = _scaled(scenario, factor)
        moved = sum(_revalued(scaled, holdings, prices, account)[0].values())
        return _waited(scaled, holdings, prices, account, covariance) - moved

    high = next((h for h in (2.0**n for n in range(-5, 6)) if lost(h) >= loses), math.inf)
    if high == math.inf or loses == math.inf:
        return math.inf
    low = 0.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if lost(middle) >= loses else (middle, high)
    return high


def _revalued(
    scenario: Scenario, holdings: Sequence[Holding], prices: Prices, account: str
) -> tuple[dict[Feed, float], tuple[str, ...]]:
    """Profit by feed, and the symbols that the scenario does not know."""
    moves = {feed: move(scenario, feed[1], prices.ts_us) for feed in prices.mids}
    after = {feed: mid * (1 + (moves[feed] or 0.0)) for feed, mid in prices.mids.items()}
    profits: dict[Feed, float] = {}
    for held in holdings:
        now = unit(held.feed, prices.mids, account, prices.ts_us)
        then = unit(held.feed, after, account, prices.ts_us)
        wider = prices.spreads.get(held.feed, 0.0) * (scenario.spread_factor - 1) / 2
        was = held.lots * now.per_price * (now.mid - held.price)
        is_ = held.lots * then.per_price * (then.mid - held.price)
        cost = abs(held.lots) * then.per_price * wider
        profits[held.feed] = profits.get(held.feed, 0.0) + is_ - was - cost
    untouched = sorted({h.symbol for h in holdings if moves[h.feed] is None})
    return profits, tuple(untouched)


def _waited(
    scenario: Scenario, holdings: Sequence[Holding], prices: Prices, account: str,
    covariance: Covariance,
) -> float:  # fmt: skip
    """What is lost while nothing can be closed."""
    if not scenario.away_hours:
        return 0.0
    minutes = scenario.away_hours * _HOUR
    held = exposures(holdings, prices.mids, account, prices.ts_us).by_feed
    return scenario.away_deviations * deviation(held, covariance) * math.sqrt(minutes)


def likeliest(
    held: Mapping[Feed, float], covariance: Covariance, loses: float
) -> tuple[dict[Feed, float], float]:
    """Reverse stress: the most likely joint move that loses so much, and how unlikely it is.

    Of all moves that lose it, the one with the largest normal density: -loss C e / (e' C e). Its
    distance is loss over deviation (Glasserman, Kang and Kang, "Stress scenario selection by
    empirical likelihood", Quantitative Finance 15, 2015, section 2).

    Args:
        held: exposures by feed, account currency; those without history are left out.
        covariance: of minutes.
        loses: account currency.

    Returns:
        Move of each feed (share of price), and deviations of a day; infinite when nothing is held.
    """
    money = np.array([held.get(feed, 0.0) for feed in covariance.known])
    direction = covariance.matrix @ money
    variance = float(money @ direction)
    if variance <= 0:
        return {}, math.inf
    moves = (-loses * direction / variance).tolist()
    return dict(zip(covariance.known, moves, strict=True)), loses / math.sqrt(variance * _DAY)


def shock(scenario: Scenario, feeds: Sequence[Feed], prices: Prices) -> StressShock:
    """For pre-trade checks: to first order, and per feed."""
    spreads = [prices.spreads.get(f, 0.0) / prices.mids[f] for f in feeds]
    return StressShock(
        scenario.name, scenario.version,
        [move(scenario, symbol, prices.ts_us) or 0.0 for _, symbol in feeds],
        [share * (scenario.spread_factor - 1) for share in spreads],
        scenario.away_deviations * math.sqrt(scenario.away_hours),
    )  # fmt: skip
