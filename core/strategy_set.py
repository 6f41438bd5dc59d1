"""A strategy as one text under one hash, and back: what a session keeps, and what people sign.

A file that imports nothing of a person's own is that file. Everything else is a set: JSON with the
text of each module, and installed packages by version.
"""

from pathlib import Path

import msgspec

from core import durable
from core.errors import SettingsError

#: Entry points of installed packages that are strategies.
GROUP = "tickhouse.strategies"
SUFFIX = ".set.json"


class StrategySet(msgspec.Struct, frozen=True):
    """What a strategy is made of. `entry`: module and class of an entry point; "": its file."""

    strategy: str
    entry: str
    modules: dict[str, str]  # text by dotted name; of a file, the strategy's name is its own
    inits: list[str]  # of these, packages
    packages: dict[str, str]  # installed: version by name


def decoded(body: bytes) -> StrategySet | None:
    """The set that a text is; None of a file alone."""
    try:
        return msgspec.json.decode(body, type=StrategySet)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def file_name(body: bytes, name: str) -> str:
    """What `unpack` calls the text itself."""
    return f"{name}{SUFFIX if decoded(body) else '.py'}"


def sources(body: bytes, name: str) -> dict[str, bytes]:
    """The Python files that a text is made of, by path within a folder of strategies.

    Raises:
        SettingsError: it names a module that is none, and would lie elsewhere.
    """
    one = decoded(body)
    if one is None:
        return {f"{name}.py": body}
    files = {}
    for module, text in one.modules.items():
        if not all(part.isidentifier() for part in module.split(".")):
            raise SettingsError(f"strategy {name!r}: it holds {module!r}, which is no module")
        ending = "/__init__.py" if module in one.inits else ".py"
        files[module.replace(".", "/") + ending] = text.encode()
    return files


def unpack(body: bytes, name: str, folder: Path) -> None:
    """Write what was kept into a folder of strategies; files that are so already stay.

    Raises:
        SettingsError: see `sources`.
    """
    for place, text in {file_name(body, name): body, **sources(body, name)}.items():
        path = folder / place
        if not path.is_file() or path.read_bytes() != text:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            durable.write(path, text)
