"""A report's folder: `<base>/<day>/<name>/v<N>`, whole or not there.

Everything is rendered into a hidden folder beside it, hashed into `manifest.json`, synced, and then
named. The same data again make no new version; other data make a restated one, which names the
version before by the SHA-256 of its manifest. Nothing in a version is ever changed: a maker's and
a checker's sign-off are files of their own.
"""

import hashlib
import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from audit.seal import settle, sha256
from core import checked_json, durable
from core.errors import InputError, SettingsError, UnavailableError
from core.file_lock import locked

LAYOUT = "draft-1"
_NAME = re.compile("[a-z0-9][a-z0-9-]{0,63}(@[a-z0-9][a-z0-9_]{0,31})?")  # of a firm's: @PARTY
Kind = TypeVar("Kind")


class FileFacts(msgspec.Struct, frozen=True):
    """One file. `rows` -1 when it is no table."""

    sha256: str
    bytes: int
    rows: int = -1


class ReportManifest(msgspec.Struct, frozen=True):
    """What a version is made of, and of which input."""

    report: str
    title: str
    day: date
    mode: str
    version: int
    layout: str
    draft: bool  # until a compliance officer has signed the layout: always
    made_us: int
    query_sha256: dict[str, str]  # mart -> SHA-256 of its compiled SQL
    dbt_invocation: str
    inputs: dict[str, str]  # what the marts were built from
    empty: bool
    breaks: dict[str, int]  # severity -> rows
    files: dict[str, FileFacts]
    previous: str = ""  # SHA-256 of the manifest of the version before; "" for the first
    restates: int = 0  # the version before, when its data were others


class SignOff(msgspec.Struct, frozen=True):
    """A maker's or a checker's: over one manifest."""

    by: str
    authenticated: bool
    ts_us: int
    manifest_sha256: str
    reason: str = ""


class Version(NamedTuple):
    """A version on disk."""

    folder: Path
    manifest: ReportManifest
    sha256: str

    def sign_off(self, name: str) -> SignOff | None:
        """`maker.json`, `release.json` or `filed.json`, if it is there and of this manifest.

        Raises:
            InputError: it is damaged, or of another manifest.
        """
        path = self.folder / f"{name}.json"
        if not path.exists():
            return None
        sign_off = _decoded(path, SignOff)
        if sign_off.manifest_sha256 != self.sha256:
            raise InputError(str(path), "signs another manifest: something was changed")
        return sign_off


class Rendered(NamedTuple):
    """What a render left in its folder."""

    rows: dict[str, int]  # file -> rows, of those that are tables
    empty: bool
    breaks: dict[str, int]
    data: tuple[str, ...]  # files whose change is a restatement
    #: Of them those that follow from the others and from what was released: what is still to send.
    follows: tuple[str, ...] = ()


Render = Callable[[Path, int], Rendered]


def folder_of(base: Path, name: str, day: date, mode: str) -> Path:
    """Where the versions of a report and day are."""
    return base / str(day) / (name if mode == "live" else f"{name}.{mode}")


def versions(folder: Path) -> list[Version]:
    """All versions, the first first.

    Raises:
        InputError: a manifest is gone or damaged.
    """
    all_versions = []
    for version_folder in sorted(folder.glob("v[0-9]*"), key=lambda p: int(p.name[1:])):
        path = version_folder / "manifest.json"
        if not path.exists():
            raise InputError(str(path), "is gone; bring the version back from the archive")
        all_versions.append(Version(version_folder, _decoded(path, ReportManifest), sha256(path)))
    return all_versions


def newest(base: Path, name: str, day: date, mode: str) -> Version:
    """The last version of a report and day.

    Raises:
        SettingsError: there is none, or the name or world is none that could be.
        InputError: a manifest is gone or damaged.
    """
    if not _NAME.fullmatch(name) or not _NAME.fullmatch(mode):  # they become part of a path
        raise SettingsError(f"{name[:80]!r} of {mode[:20]!r}: no report is called so")
    folder = folder_of(base, name, day, mode)
    known = versions(folder) if folder.exists() else []
    if not known:
        raise SettingsError(f"{folder}: not made yet: tickhouse report {name} --date {day}")
    return known[-1]


def add_version(folder: Path, blank: ReportManifest, render: Render) -> tuple[Version, bool]:
    """A new version, or the last one when its data are the same; and whether it is new.

    Raises:
        UnavailableError: the disk is full; nothing of the version is there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / ".lock", timeout_s=600):
            return _add_version(folder, blank, render)
    except OSError as error:
        problem = f"{folder}: not made ({error}); nothing of it is there, make room and repeat"
        raise UnavailableError(problem) from error


def _add_version(folder: Path, blank: ReportManifest, render: Render) -> tuple[Version, bool]:
    for left in folder.glob(".v*.tmp"):  # of a process that died
        shutil.rmtree(left)
    earlier = versions(folder)
    last = earlier[-1] if earlier else None
    number = last.manifest.version + 1 if last else 1
    temporary = folder / f".v{number}.tmp"
    temporary.mkdir()
    try:
        rendered = render(temporary, number)
        manifest = _manifest(blank, number, rendered, temporary, last)
        if last and _same(last.manifest, manifest, _compared(last, rendered)):
            return last, False
        (temporary / "manifest.json").write_bytes(
            msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"
        )
        settle(temporary, folder / f"v{number}")
    finally:
        shutil.rmtree(temporary, ignore_errors=True)

    return versions(folder)[-1], True


def record_sign_off(version: Version, name: str, sign_off: SignOff) -> None:
    """Write `maker.json`, `release.json` or `filed.json`; whole, on disk, once.

    Raises:
        SettingsError: that sign-off exists already.
    """
    path = version.folder / f"{name}.json"
    content = msgspec.json.format(msgspec.json.encode(sign_off)) + b"\n"
    try:
        is_first = durable.create(path, content)  # a click and a command may come in one instant
    except OSError as error:
        raise UnavailableError(f"{path}: not written ({error}); make room and repeat") from error
    if not is_first:
        raise SettingsError(f"{path} exists: {version.sign_off(name)}")


def changed_files(version: Version) -> list[str]:
    """Files that are no longer what the manifest says."""
    return [
        name
        for name, facts in version.manifest.files.items()
        if not (version.folder / name).exists() or sha256(version.folder / name) != facts.sha256
    ]


def mark(folder: Path, names: tuple[str, ...]) -> str:
    """First digits of a hash over data files, for the footer of a PDF."""
    total = hashlib.sha256()
    for name in names:
        total.update(bytes.fromhex(sha256(folder / name)))
    return total.hexdigest()[:16]


def _manifest(
    blank: ReportManifest, number: int, rendered: Rendered, folder: Path, last: Version | None
) -> ReportManifest:
    files = {
        path.name: FileFacts(sha256(path), path.stat().st_size, rendered.rows.get(path.name, -1))
        for path in sorted(folder.iterdir())
    }
    return msgspec.structs.replace(
        blank, version=number, empty=rendered.empty, breaks=rendered.breaks, files=files,
        previous=last.sha256 if last else "", restates=number - 1,
    )  # fmt: skip


def _compared(last: Version, rendered: Rendered) -> list[str]:
    """Once a version is out nothing of it is left to send: that alone makes no other version."""
    follows = rendered.follows if last.sign_off("release") else ()
    return [name for name in rendered.data if name not in follows]


def _same(before: ReportManifest, now: ReportManifest, data: list[str]) -> bool:
    return before.layout == now.layout and all(
        name in before.files and before.files[name].sha256 == now.files[name].sha256
        for name in data
    )


def _decoded(path: Path, kind: type[Kind]) -> Kind:
    try:
        return checked_json.decode(path.read_bytes(), kind)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(str(path), f"{error}; bring it back from the archive") from error
