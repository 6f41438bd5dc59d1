"""What people put around a question, and what they say in another order, as the grammar reads it.

The constructs stand in `frames.toml`: "the hours that lost money" is "which hours lost money".
"""

import functools
import re
from importlib import resources

import msgspec

#: "Breaks in yesterday's report": of the report, yesterday. Of a part of a day it says which one.
_WHOSE = re.compile(
    r"(?:(?<= of)|(?<= in)|(?<= on)|(?<= by)|(?<= for)|(?<= from))"
    r" (today|yesterday|(?:this|last) (?:week|month|quarter|year)|(?:last )?\w+day)'s"
    r" (?!session|trading|high|low|open|close|first|last|best|worst"
    r"|morning|afternoon|evening|night)"
)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    frames: tuple[tuple[str, str], ...]
    parts: dict[str, str]


@functools.cache
def _frames() -> tuple[tuple[re.Pattern[str], str], ...]:
    """What was said, and how it is read; the file is read once."""
    text = resources.files("questions").joinpath("frames.toml").read_bytes()
    file = msgspec.toml.decode(text, type=_File)
    frames = []
    for said, read in file.frames:
        for name, part in file.parts.items():
            said = said.replace("{" + name + "}", part)
        frames.append((re.compile(said), read))
    return tuple(frames)


def unframed(plain: str) -> str:
    """A question in lower case without its frame, its parts in the order that is read."""
    for said, read in _frames():
        plain = said.sub(read, plain)
    whose = _WHOSE.findall(plain)
    if len(whose) == 1 and plain.count("'s ") == 1:
        plain = f"{_WHOSE.sub(' ', plain).rstrip(' .?!')} {whose[0]}"
    return plain
