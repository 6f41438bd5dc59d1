"""Where a home's controls lie: the chain in the home, and what is known of it outside.

`<home>/controls/chain.jsonl` is the chain, `<home>/controls/contents/` what was signed, by SHA-256.
A folder outside the home keeps a copy of both as last read genuine: its first line says how this
home began, its last how far it went. So a chain that was cut, replaced by an older or by another
one's own is told from the home's, and what was signed last goes on holding.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

from core import durable
from core.controls import keys
from core.controls.entry import sha256
from core.credentials import read_private
from core.errors import InputError, SettingsError
from core.sections import ControlSettings

REMEDY = (
    "put the home's controls/ back from a backup, or sign the next version: that writes it anew"
    " (tickhouse controls verify tells more)"
)
#: Of the copy itself, by which a home is known.
REMEDY_OUTSIDE = (
    "if it is this copy that was damaged, bring its folder back from a backup; or compare the"
    " fingerprint with who began the home, remove the folder, and: tickhouse controls trust"
)


class Place(NamedTuple):
    """A home's two copies."""

    home: Path
    trust: Path  # this home's folder among the trusted

    @property
    def chain(self) -> Path:
        """The home's own."""
        return self.home / "controls" / "chain.jsonl"

    @property
    def kept(self) -> Path:
        """The copy outside."""
        return self.trust / "chain.jsonl"

    def content_path(self, digest: str) -> Path:
        """Where the home keeps a content."""
        return self.home / "controls" / "contents" / digest

    def content(self, digest: str) -> bytes | None:
        """A content as it was signed, from wherever it is still so; None when nowhere."""
        for path in (self.content_path(digest), self.trust / "contents" / digest):
            content = _read(path)
            if content is not None and sha256(content) == digest:
                return content
        return None


class Chain(NamedTuple):
    """What to go by. `pinned`: this machine knows how the home began."""

    lines: bytes
    pinned: bool
    problem: str = ""


def place_of(home: Path, settings: ControlSettings) -> Place:
    """The place of a home.

    Raises:
        SettingsError: the folder of trust is inside the home.
    """
    folder = Path(settings.trust).expanduser()
    keys.refuse_inside(folder, home)
    resolved = home.resolve()
    name = hashlib.sha256(str(resolved).encode()).hexdigest()[:16]
    return Place(resolved, folder / f"{resolved.name or 'home'}-{name}")


def is_begun(place: Place) -> bool:
    """Whether controls are signed here, also when the home's own chain is gone."""
    return place.kept.exists() or place.chain.exists()


def read(place: Place) -> Chain:
    """The chain to go by: the home's where it goes on from the copy outside, else that copy.

    Raises:
        InputError: that copy is there and cannot be read.
    """
    ours, kept = _read(place.chain), _read_kept(place)
    if kept is None:
        if ours is None:
            return Chain(b"", False)
        return Chain(
            b"", False,
            f"{place.chain}: this machine does not know how this home began, so nothing that was"
            " signed holds; compare the fingerprint with who began it: tickhouse controls trust",
        )  # fmt: skip
    if ours is not None and ours.startswith(kept):
        return Chain(ours, True)
    what = "is gone" if ours is None else "was cut" if kept.startswith(ours) else "was replaced"
    problem = f"{place.chain} {what}; what was signed last goes on holding. {REMEDY}"
    return Chain(kept, True, problem)


def knows_more(place: Place, lines: bytes) -> bool:
    """Whether the copy outside holds what these lines do not go on from; one that was emptied, or
    cut before the end of its first line, goes with no chain.
    """
    kept = _read_kept(place)
    return kept is not None and (b"\n" not in kept or not lines.startswith(kept))


def write_content(place: Place, content: bytes) -> str:
    """Keep what is about to be signed, in the home; its name."""
    digest = sha256(content)
    durable.write(place.content_path(digest), content)
    return digest


def write_chain(place: Place, lines: bytes) -> None:
    """Replace the home's chain; whole and on disk when this returns."""
    durable.write(place.chain, lines)


def keep(place: Place, lines: bytes, contents: dict[str, bytes]) -> None:
    """Bring the copy outside up to a chain that was read as genuine; contents first.

    Raises:
        OSError: nothing was changed, or contents only. Also where the copy knows more.
    """
    if knows_more(place, lines):
        raise OSError(f"{place.kept} knows more, and is not shortened")
    place.trust.mkdir(mode=0o700, parents=True, exist_ok=True)
    for digest, content in contents.items():
        path = place.trust / "contents" / digest
        if not path.exists():
            durable.write(path, content)
    durable.write(place.kept, lines)


def pin(place: Place, lines: bytes, contents: dict[str, bytes]) -> None:
    """Trust a beginning; the copy outside must not know another.

    Raises:
        SettingsError: it does.
    """
    if place.kept.exists():
        raise SettingsError(
            f"{place.kept} knows how {place.home} began already; who begins anew removes that"
            " folder first, and takes every signed version with it"
        )
    keep(place, lines, contents)


def _read_kept(place: Place) -> bytes | None:
    """None where there is none; one that cannot be read is no home that nobody knows."""
    try:
        return read_private(place.kept)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(str(place.kept), f"{error}; {REMEDY_OUTSIDE}") from error


def _read(path: Path) -> bytes | None:
    try:
        return read_private(path)
    except OSError:
        return None
