"""How a column is described: the record, words that many share, and where formulas come from."""

from typing import NamedTuple


class Feature(NamedTuple):
    """One column of a feature row.

    Attributes:
        name: column in the table `feature`.
        family: the kernel's part that computes it.
        unit: `bp` is 1e-4 of the mid price.
        window: what it looks back over.
        warm_up: the value is NaN before this.
        definition: how it is computed. Every value uses its own and earlier ticks only.
        source: where the formula comes from.
    """

    name: str
    family: str
    unit: str
    window: str
    warm_up: str
    definition: str
    source: str


WILDER = "Wilder, New Concepts in Technical Trading Systems (1978); seeds as in TA-Lib"
APPEL = "Appel, The MACD (1979); seeds and alignment as in TA-Lib"
MEAN = "seeds as in TA-Lib"
BOLLINGER = "Bollinger on Bollinger Bands (2001); population deviation as in TA-Lib"
VOLATILITY = "Andersen and Bollerslev, Answering the Skeptics (1998)"
OURS = "this catalogue"
_BARS = "closed 1-minute bars of mid closes; a minute without a tick has no bar"
KELTNER = "Carter, Mastering the Trade (2005): Bollinger bands inside Keltner's channel"
DONCHIAN = "Donchian's channel, as in Kaufman, Trading Systems and Methods (2013)"
ORDER_FLOW = "Chordia, Roll and Subrahmanyam, Order Imbalance (2002)"
QUOTES = "Cont, Kukanov and Stoikov, The Price Impact of Order Book Events (2014), without sizes"
LEAD = "Lo and MacKinlay, When Are Contrarian Profits Due to Stock Market Overreaction? (1990)"
VOL_OF_VOL = "Corsi, Mittnik, Pigorsch and Pigorsch, The Volatility of Realized Volatility (2008)"
TRADES = "; NaN in a feed that never had a trade, 0 in a window without one"
_PEERS = (
    "the other symbols of the same source, by their last mid of each second up to two seconds"
    " before this tick's; NaN without such a symbol"
)


def returns(seconds: int) -> Feature:
    """The log return over so many seconds."""
    return Feature(
        name=f"return_{seconds}s",
        family="return",
        unit="bp",
        window=f"{seconds} s",
        warm_up=f"{seconds} s",
        definition=f"log of mid over the mid in force {seconds} s ago (to 100 ms)",
        source=OURS,
    )


def volatility(seconds: int) -> Feature:
    """Realised volatility over so many seconds."""
    return Feature(
        name=f"volatility_{seconds}s",
        family="volatility",
        unit="bp",
        window=f"{seconds} s",
        warm_up=f"{seconds} s",
        definition="root of the summed squares of log returns between ends of seconds with a tick",
        source=VOLATILITY,
    )


def imbalance(seconds: int) -> Feature:
    """Ticks up against ticks down over so many seconds."""
    return Feature(
        name=f"imbalance_{seconds}s",
        family="imbalance",
        unit="share, -1 to 1",
        window=f"{seconds} s",
        warm_up=f"{seconds} s",
        definition="ticks that raised mid minus ticks that lowered it, over all ticks",
        source=OURS,
    )


def rate(seconds: int) -> Feature:
    """How often ticks come over so many seconds."""
    return Feature(
        name=f"rate_{seconds}s",
        family="rate",
        unit="ticks/s",
        window=f"{seconds} s",
        warm_up=f"{seconds} s",
        definition="ticks in the window over its length",
        source=OURS,
    )


def bar(name: str, family: str, unit: str, bars: int, definition: str, source: str) -> Feature:
    """A column of closed 1-minute bars."""
    warm_up = f"{bars} closed bars"
    return Feature(name, family, unit, _BARS, warm_up, definition, source)


def frame(name: str, family: str, unit: str, frame: str, bars: int, text: str) -> Feature:
    """A column of closed bars of `frame` (of mid: high, low, close)."""
    window, warm_up = f"closed {frame} bars of mid", f"{bars} closed {frame} bars"
    source = MEAN if family == "average" else WILDER
    return Feature(name, family, unit, window, warm_up, text, source)


def windowed(name: str, family: str, unit: str, seconds: int, text: str, source: str) -> Feature:
    """A column over a window of seconds."""
    return Feature(name, family, unit, f"{seconds} s", f"{seconds} s", text, source)


def peer(name: str, unit: str, seconds: int, text: str) -> Feature:
    """A column that `features.peers` fills in: the kernel knows one feed only."""
    return Feature(
        name, "peers", unit, f"{seconds} s", f"{seconds + 2} s", f"{text}; {_PEERS}", LEAD
    )
