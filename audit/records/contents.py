"""What an export of records says of itself, and what a home knows of the exports it made."""

import hashlib
from datetime import date

import msgspec

LAYOUT = "records-draft-1"
#: In the bundle of an export, before everything else.
ROOT, SIGNATURE, FOLDER = "root.json", "root.sig", "warehouse"


class Part(msgspec.Struct, frozen=True):
    """A UTC day of a table as it counted when it was exported."""

    table: str
    day: date
    rows: int
    checksum: str  # of its columns over all rows, whatever their order
    file: str = ""
    sha256: str = ""  # of the file


class Root(msgspec.Struct, frozen=True):
    """The content of `root.json`."""

    layout: str
    number: int  # from 1 without gaps
    home: str
    made_us: int
    through: date
    years: int  # the longest that a policy keeps something of it
    columns: dict[str, tuple[str, ...]]  # by table
    parts: tuple[Part, ...]
    root: str  # Merkle root over the files' SHA-256
    previous: str  # SHA-256 of the root before; "" for the first


class Known(msgspec.Struct):
    """What exports say together, up to one of them."""

    number: int = 0
    sha256: str = ""  # of the last root
    parts: dict[str, dict[str, tuple[int, str]]] = {}  # table, day: rows and checksum

    def add(self, root: Root, content: bytes) -> None:
        """One more export, `content` its root as signed."""
        self.number, self.sha256 = root.number, hashlib.sha256(content).hexdigest()
        for part in root.parts:
            self.parts.setdefault(part.table, {})[str(part.day)] = (part.rows, part.checksum)
