"""One archive for whoever helps: versions, settings, status, checks, logs, and what is missing.

Nothing goes in as it lies in the home: every file is text that was made here and went through
`redaction` last of all. No ticks, orders, models or keys are in it. What cannot be collected, for
the warehouse is away, say, is a line in `problems.txt` and stops nothing else.
"""

import hashlib
import io
import json
import os
import platform
import secrets
import sys
import tarfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from importlib.metadata import distributions
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from cli.diagnostics.check import Check, table_of
from cli.diagnostics.newest_errors import newest_errors
from cli.diagnostics.newest_errors import table_of as table_of_errors
from cli.diagnostics.redaction import Redaction, without_secrets
from core import durable
from core.errors import InputError
from core.fingerprint import fingerprint, versions
from core.settings import Settings

_LONGEST_LOG = 4_194_304  # bytes of each, its end
_WIDTH = 160


#: A file's name and what makes its text.
Part = tuple[str, Callable[[], str]]


class Listed(NamedTuple):
    """A file of the bundle."""

    name: str
    size: int
    sha256: str


def write(path: Path, parts: Iterable[Part], redaction: Redaction, taken_at: str) -> list[Listed]:
    """Write the archive, whole or not at all, for its owner's eyes; what is inside.

    Raises:
        InputError: the path is taken, or cannot be written.
    """
    if path.exists():
        raise InputError(str(path), "exists already: choose another name")
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, durable.PRIVATE)
        with os.fdopen(file, "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w:gz") as archive:
                bundle = _Bundle(archive, path.name.partition(".")[0], redaction)
                bundle.fill(parts, taken_at)
            stream.flush()
            os.fsync(file)
        durable.rename(unfinished, path)
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return bundle.listed


class _Bundle:
    """The archive while it is written."""

    def __init__(self, archive: tarfile.TarFile, folder: str, redaction: Redaction) -> None:
        self._archive, self._folder, self._redaction = archive, folder, redaction
        self.listed: list[Listed] = []

    def fill(self, parts: Iterable[Part], taken_at: str) -> None:
        """Every part that can be made; of the others, why not."""
        problems = list[str]()
        for name, make in parts:
            try:
                text = make()
            except Exception:
                problems.append(f"{name}: {traceback.format_exc(limit=-3)}")
            else:
                self._add(name, text)
        self._add("problems.txt", "\n".join(problems) or "none: everything could be collected\n")
        self._add("contents.txt", f"taken at {taken_at}\n{listing(self.listed)}\n")

    def _add(self, name: str, text: str) -> None:
        content = self._redaction.text(text).encode()
        member = tarfile.TarInfo(f"{self._folder}/{name}")
        member.size, member.mode = len(content), 0o600
        self._archive.addfile(member, io.BytesIO(content))
        self.listed.append(Listed(name, len(content), hashlib.sha256(content).hexdigest()))


def listing(listed: list[Listed]) -> str:
    """What is inside, for people."""
    return "\n".join(f"{one.size:>10,}  {one.sha256[:16]}  {one.name}" for one in listed)


def parts(
    settings: Settings, status: Callable[[], object], checks: Callable[[], list[Check]]
) -> Iterator[Part]:
    """What a bundle of a home holds. `status`, `checks`: as the commands of these names tell."""
    home = settings.home_path
    yield "versions.json", lambda: _json(_versions())
    yield "settings.json", lambda: _json(without_secrets(settings))
    yield "environment.txt", _environment
    yield "status.json", lambda: _json(status())
    yield "checks.txt", lambda: _printed(table_of(checks()))
    yield "errors.txt", lambda: _printed(table_of_errors(newest_errors(home)))
    yield "home.txt", lambda: _home(home)
    for path in sorted((home / "logs").glob("*.log*")):
        yield f"logs/{path.name}", partial(_end_of, path)


def _versions() -> dict[str, object]:
    packages = {d.metadata["Name"]: d.version for d in distributions()}
    return {
        **versions(),
        "interpreter": sys.version,
        "system": platform.platform(),
        "fingerprint": fingerprint(),
        "packages": dict(sorted(packages.items(), key=lambda item: str(item[0]).lower())),
    }


def _environment() -> str:
    """Which of our settings the environment has, without their values."""
    return "\n".join(sorted(name for name in os.environ if name.startswith("TICKHOUSE_"))) + "\n"


def _home(home: Path) -> str:
    """How big each part of the home is."""
    lines = []
    for path in sorted(home.iterdir()) if home.is_dir() else []:
        files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
        size = sum(_size(file) for file in files)
        lines.append(f"{size:>16,}  {len(files):>8,} files  {path.name}")
    return "\n".join(lines) + "\n"


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # gone meanwhile
        return 0


def _end_of(path: Path) -> str:
    """The end of a log, from a whole line on."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _LONGEST_LOG, 0))
        text = file.read(_LONGEST_LOG)
    if size > _LONGEST_LOG:
        text = text[text.find(b"\n") + 1 :]
    return text.decode(errors="replace")


def _printed(table: object) -> str:
    console = Console(file=io.StringIO(), width=_WIDTH, highlight=False)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _json(value: object) -> str:
    return json.dumps(value, indent=2, default=str) + "\n"
