"""What each kind of control needs before it holds: nobody else, a second person, or a day.

Lowering risk must not wait, raising it must not be one person's slip or whim. What only returns to
limits that were signed before (a throttle's release, resuming) needs two people in a firm, and in a
home of one person holds at once. Halting is no control of the chain: it needs no signature, ever.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

from core.controls.entry import Kind

#: How long what raises risk waits where nobody else can sign; microseconds.
DELAY_US = 24 * 3_600_000_000
Need = Literal["", "second", "delay"]


class Rule(NamedTuple):
    """Of one kind. `slots`: one version at a time per subject; else all that were signed count."""

    direction: Literal["judged", "raises", "lowers", "returns"]
    slots: bool
    ends: Literal["never", "must"]


RULES: dict[Kind, Rule] = {
    "limits": Rule("judged", True, "never"),
    "override": Rule("judged", False, "must"),
    "release": Rule("returns", False, "never"),
    "resume": Rule("returns", False, "never"),
    "exits": Rule("raises", True, "never"),
    "strategy": Rule("raises", True, "must"),
    "feature": Rule("raises", True, "must"),
    "desk": Rule("raises", True, "never"),
    "settings": Rule("raises", True, "must"),
    "model": Rule("raises", True, "must"),
    "reference": Rule("raises", True, "never"),
    "terminal_check": Rule("returns", True, "must"),
    "retention": Rule("raises", True, "never"),
    "destroy": Rule("raises", False, "must"),
    "person": Rule("judged", True, "never"),
    "policy": Rule("judged", True, "never"),
}

#: Whether a content raises risk against what holds (None: nothing does). What cannot be told does.
Judge = Callable[[Kind, str, bytes | None, bytes], bool]


def need(kind: Kind, *, raises: bool, firm: bool) -> Need:
    """What a version waits for after its first signature."""
    returns = RULES[kind].direction == "returns"
    if firm:
        return "second" if raises or returns else ""
    return "delay" if raises and not returns else ""
