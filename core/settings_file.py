"""Puts values into `tickhouse.toml`: only what is missing, and never over what a person wrote."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from core import durable
from core.errors import SettingsError

NAME = "tickhouse.toml"


def add(folder: Path, values: Mapping[str, Mapping[str, str]]) -> Path:
    """Add sections of texts; what stands there already with the same value stays as it is.

    Args:
        folder: whose file it is; a new one is made if there is none.
        values: text by name by section.

    Raises:
        SettingsError: the file is no TOML, says something else, or holds such a section with
            other names, into which nothing can be put without touching what a person wrote.
    """
    path = folder / NAME
    text = path.read_text() if path.exists() else ""
    try:
        there = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}") from error
    missing = {
        section: names
        for section, names in values.items()
        if any(there.get(section, {}).get(name) != value for name, value in names.items())
    }
    if both := sorted(missing.keys() & there.keys()):
        wanted = "\n".join(_lines({section: missing[section] for section in both}))
        raise SettingsError(f"{path} has a section {both[0]} already; put in by hand:\n{wanted}")
    if missing:
        lines = [*([text.rstrip("\n"), ""] if text else []), *_lines(missing)]
        durable.write(path, ("\n".join(lines) + "\n").encode())
    return path


def _lines(sections: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Texts in single quotes, in which a Windows path needs nothing doubled."""
    return [
        line
        for section, names in sections.items()
        for line in (f"[{section}]", *(f"{name} = '{value}'" for name, value in names.items()))
    ]
