"""A terminal's symbol names and our (source, symbol), both ways.

Two brokers may quote EURUSD at once. A name stays plain while it is unique; else the source is
added (`EURUSD.oanda`). The symbol's path always says both: `oanda\\EURUSD`.
"""

from collections import Counter
from collections.abc import Iterable

from adapters.mt5.protocol.terminal import Terminal
from core.errors import UnavailableError

Feed = tuple[str, str]  # (source, symbol)


def terminal_names(feeds: Iterable[Feed]) -> dict[str, Feed]:
    """The simulated terminal's symbol names, in the order of the feeds."""
    feeds = tuple(feeds)
    count = Counter(symbol for _, symbol in feeds)
    return {
        symbol if count[symbol] == 1 else f"{symbol}.{source}": (source, symbol)
        for source, symbol in feeds
    }


def resolve(terminal: Terminal) -> dict[Feed, str]:
    """The terminal's name of every (source, symbol), from the symbols' paths.

    Raises:
        UnavailableError: the terminal does not answer.
    """
    symbols = terminal.symbols_get()
    if symbols is None:
        raise UnavailableError(f"the terminal lists no symbols: {terminal.last_error()[1]}")
    names: dict[Feed, str] = {}
    for info in symbols:
        source, *_, symbol = info.path.split("\\")
        names[source, symbol] = info.name
    return names
