"""What we know of one broker: its symbol names and its clock, in `HOME/terminal.toml`.

`tickhouse connect` writes the file, a person may correct it, collector and execution read it.
Nothing in it is secret.
"""

from pathlib import Path

import msgspec

from adapters.mt5.real.server_clock import OffsetRule, ServerClock
from core import durable
from core.errors import SettingsError

_HEAD = """\
# Written by `tickhouse connect`; corrections by hand are kept when it runs again.
# symbols: our name = the terminal's name.  clock: from `since` (UTC) on the server is ahead of
# `zone` (empty: UTC) by `ahead_s` seconds.
"""


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One broker as its terminal shows it."""

    source: str  # its name in our tables
    server: str
    symbols: dict[str, str]
    clock: list[OffsetRule]


def path_in(home: Path) -> Path:
    """Where a home's broker is described."""
    return home / "terminal.toml"


def load(path: Path) -> Broker:
    """Read and check the file.

    Raises:
        SettingsError: missing, malformed, or with rules that cannot be.
    """
    try:
        broker = msgspec.toml.decode(path.read_bytes(), type=Broker)
    except OSError as error:
        raise SettingsError(
            f"{path}: {error.strerror}; a real terminal's symbols and clock must be known first:"
            " tickhouse connect"
        ) from error
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path}: {error}; correct it, or run tickhouse connect") from error
    names = list(broker.symbols.values())
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SettingsError(f"{path}: {', '.join(twice)} stands for two of our symbols")
    try:
        ServerClock(broker.clock)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error
    return broker


def save(path: Path, broker: Broker) -> None:
    """Replace the file in one step."""
    lines = [
        _HEAD,
        f"source = {_text(broker.source)}\nserver = {_text(broker.server)}\n\n[symbols]",
    ]
    lines += [f"{_text(ours)} = {_text(theirs)}" for ours, theirs in broker.symbols.items()]
    for rule in broker.clock:
        lines.append(
            f"\n[[clock]]\nsince = {rule.since:%Y-%m-%dT%H:%M:%SZ}\n"
            f"zone = {_text(rule.zone)}\nahead_s = {rule.ahead_s}"
        )
    durable.write(path, ("\n".join(lines) + "\n").encode())


def _text(value: str) -> str:
    # A TOML basic string is a JSON string.
    return msgspec.json.encode(value).decode()
