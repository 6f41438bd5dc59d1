"""Text without secrets, for files that leave this machine.

Two nets: every secret that this home knows, by its value and as programs spell it in addresses
and JSON; and what looks like a secret to anybody, for those that it does not know. Rather a word
too few in a bundle than a password in it.
"""

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from core import credentials, secrets
from core.settings import Settings

HIDDEN = "[hidden]"
_SHORTEST = 4
_SHORTEST_LINE = 20  # of a key's file
_NAME = (
    r"(?:pass(?:word|wd|phrase)|secret|token|api[_-]?key|(?:private|access|signing)[_-]?key|auth)"
)
_LOOKS = tuple(
    (re.compile(pattern, flags), replacement)
    for pattern, flags, replacement in (
        # A key in PEM, also one that a record of JSON holds, or that was cut off.
        (r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)",
         re.DOTALL, HIDDEN),
        (r"AGE-SECRET-KEY-1[0-9A-Z]+", 0, HIDDEN),
        (r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*", 0, HIDDEN),  # a JSON web token
        (r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", 0, HIDDEN),
        (r"\b(?:gh[pousr]|glpat|glsa|xox[abprs])[_-][\w-]{10,}", 0, HIDDEN),
        (r"\b(?:bot)?\d{6,}:[\w-]{30,}", 0, HIDDEN),  # of a Telegram bot
        (r"(?i)\b(bearer|basic)\s+[\w+/=.~-]{8,}", 0, rf"\1 {HIDDEN}"),
        (r"(https?://(?:hooks\.slack\.com|(?:\w+\.)?discord(?:app)?\.com/api/webhooks)/)[^\s\"'\\]+",
         0, rf"\1{HIDDEN}"),
        (r"(\w+://)[^/\s@\"']+@", 0, rf"\1{HIDDEN}@"),
        (rf"(?i)([?&][\w.-]*(?:{_NAME}|key|sig(?:nature)?|credential)[\w.-]*=)[^&\s\"'\\]+",
         0, rf"\1{HIDDEN}"),
        (rf"(?i)({_NAME}[\w-]*\\?[\"']?\s*[:=]\s*\\?[\"']?)(?!\[hidden\])[^\s\"',;&}}\\]{{4,}}",
         0, rf"\1{HIDDEN}"),
    )
)  # fmt: skip
#: Settings that name a file with a key: what stands in the file is secret.
_KEY_FILES = {"signing_key", "key", "keyfile"}


class Redaction:
    """Hides what a home knows to be secret, and what looks like it.

    Args:
        directory: where `tickhouse.toml` is.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str], directory: Path) -> None:
        known = {
            *_of_settings(msgspec.to_builtins(settings)), *_of_file(directory / "tickhouse.toml"),
            *_of_environment(environ), *_of_files(_key_files(settings)),
        }  # fmt: skip
        spelled = {spelling for value in known for spelling in _spellings(value)}
        self._known = sorted((s for s in spelled if len(s) >= _SHORTEST), key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without them."""
        for value in self._known:
            text = text.replace(value, HIDDEN)
        for pattern, replacement in _LOOKS:
            text = pattern.sub(replacement, text)
        return text


def without_secrets(settings: Settings) -> dict[str, Any]:
    """Settings as plain values; whether a secret is set is told, and not which."""
    plain = msgspec.to_builtins(settings)
    return {name: _section(content) for name, content in plain.items()}


def _section(content: Any) -> Any:
    if not isinstance(content, dict):
        return content
    return {name: HIDDEN if _is_secret(name) and v else v for name, v in content.items()}


def _is_secret(name: str) -> bool:
    return name.lower().removesuffix("_file") in secrets.NAMES


def _of_settings(content: Mapping[str, Any]) -> Iterator[str]:
    for section in content.values():
        if isinstance(section, Mapping):
            yield from (str(v) for name, v in section.items() if _is_secret(name) and v)


def _of_file(path: Path) -> Iterator[str]:
    """Of settings that may be wrong otherwise, and so were not taken."""
    with suppress(OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        yield from _of_settings(tomllib.loads(path.read_text()))


def _of_environment(environ: Mapping[str, str]) -> Iterator[str]:
    """Ours by their names, and those of others that say what they hold."""
    for name, value in environ.items():
        field = name.rpartition("__")[2]
        if name.startswith("TICKHOUSE_") and field.endswith("_FILE"):
            yield from _of_files([Path(value)], shortest=_SHORTEST)
        elif _is_secret(field) or re.search(_NAME, name, re.IGNORECASE):
            yield value


def _key_files(settings: Settings) -> Iterator[Path]:
    """The home's own, and those that settings name."""
    home = settings.home_path
    for folder in (credentials.directory_of(home), home / "tls"):
        yield from (p for p in folder.rglob("*") if p.is_file())
    for section in msgspec.to_builtins(settings).values():
        if isinstance(section, dict):
            yield from (Path(v) for name, v in section.items() if name in _KEY_FILES and v)


def _of_files(paths: Iterable[Path], shortest: int = _SHORTEST_LINE) -> Iterator[str]:
    """Their lines, but those of a certificate, which everybody may see."""
    for path in paths:
        with suppress(OSError, ValueError):
            text = path.expanduser().read_text()
            if "BEGIN CERTIFICATE" not in text:
                lines = (line.strip() for line in text.splitlines())
                yield from (x for x in lines if len(x) >= shortest and not x.startswith("-----"))


def _spellings(value: str) -> Iterator[str]:
    """As it is, and as JSON and addresses spell it; a list of headers by its values, too."""
    parts = [part.partition("=")[2].strip() for part in value.split(",") if "=" in part]
    for text in (value, *(part for part in parts if len(part) >= 8)):
        yield from (
            text,
            json.dumps(text)[1:-1],
            quote(text, safe=""),
            quote_plus(text),
            repr(text)[1:-1],
        )


def of_this_process(settings: Settings) -> Redaction:
    """With what this process was given."""
    return Redaction(settings, os.environ, Path.cwd())
