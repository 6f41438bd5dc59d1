"""What a trial of a terminal means: set beside the simulated terminal's, judged, and written down.

What trading relies on must be as the simulated terminal does it, for that is what every test ran
against. Where brokers differ and the product copes, a difference is a note.
"""

from pathlib import Path
from typing import Literal

import msgspec

from cli.diagnostics.check import Check
from cli.diagnostics.trial import Observed
from core import durable
from core.errors import InputError

#: Differences that the product copes with, and how.
_COPES = {
    "history": "deals are counted by ticket, once",
    "in the history": "a fill that is not there yet is waited for",
    "our comment": "orders are recognised by number, symbol and side",
    "least distance of stops": "stops keep that distance",
    "filling FOK": "another filling mode is asked for",
    "filling IOC": "another filling mode is asked for",
    "volume": "what is filled in part is booked in part",
    "removing what is not there": "nothing follows from the answer",
    "closing what is not there": "the position is looked for anyway",
    "half the least volume": "volumes are rounded to the venue's step first",
    "stop beyond the price": "stops are checked before they are sent",
}
#: What a must-be difference would do to trading, where it is not plain.
_MEANS = {
    "our number": "orders could not be told from other people's: nothing may trade",
    "newest tick": "ticks would look stale or come from the future: run tickhouse connect again",
    "time of deals": "the clock in terminal.toml is wrong: run tickhouse connect again",
    "balance": "money moves that no deal explains: ask the broker for the statement",
    "becomes": "its outcome is not known: look at the account by hand",
    "positions after it": "an order was done twice, or positions are netted otherwise",
    "entries done": "an order was done twice, maybe seconds later: nothing may trade",
    "left open": "the check could not close what it opened: close it at the terminal",
    "answer": "the broker refuses or does not answer: its code says why",
}


class Difference(msgspec.Struct, frozen=True):
    """One observation that is not as the simulated terminal's."""

    name: str
    here: str
    expected: str
    matters: bool
    meaning: str


class Verdict(msgspec.Struct, frozen=True):
    """One trial, as it is kept and sent back. No login, no money, no prices."""

    version: Literal[1]
    passed: bool
    at: str  # ISO 8601, UTC
    tickhouse: str
    server: str
    company: str
    build: int
    symbol: str
    positions: str  # hedging or netting
    send_ms: list[float]
    differences: list[Difference]
    observed: dict[str, str]


def path_in(home: Path) -> Path:
    """Where a home keeps its newest verdict."""
    return home / "terminal-check.json"


def differences(here: Observed, expected: Observed) -> list[Difference]:
    """What is not alike, what matters first."""
    listed = [
        _difference(name, here.get(name, "not observed"), expected.get(name, "not observed"))
        for name in {**expected, **here}
        if here.get(name) != expected.get(name)
    ]
    return sorted(listed, key=lambda one: not one.matters)


def _difference(name: str, here: str, expected: str) -> Difference:
    last = name.rpartition(": ")[2]
    copes = _COPES.get(last, "")
    if copes and here != "not observed":
        return Difference(name, here, expected, False, copes)
    meaning = _MEANS.get(last, "the product was not tested against a terminal that does this")
    return Difference(name, here, expected, True, meaning)


def checks_of(observed: Observed, differing: list[Difference]) -> list[Check]:
    """As a table: every observation, differences with their meaning."""
    by_name = {one.name: one for one in differing}
    rows = []
    for name in {**observed, **by_name}:
        one = by_name.get(name)
        if one is None:
            rows.append(Check(name, "ok", observed[name]))
            continue
        text = f"{one.here}; simulated: {one.expected}"
        rows.append(Check(name, "failed" if one.matters else "warning", text, one.meaning))
    return rows


def save(home: Path, verdict: Verdict) -> Path:
    """Write it whole; the file."""
    path = path_in(home)
    durable.write(path, msgspec.json.format(msgspec.json.encode(verdict)) + b"\n")
    return path


def load(home: Path) -> Verdict | None:
    """The newest verdict; None without one.

    Raises:
        InputError: the file is damaged.
    """
    path = path_in(home)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Verdict)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"{error}; run tickhouse terminal-check again") from error
