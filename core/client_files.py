"""Which clients' files are in order, and until when: what is checked beside the vault, for trading.

`<home>/clients.json` holds no document and no name: by pseudonym, each document that is needed and
the spans of time in which an approved one covers it. `tickhouse clients` and a scheduled check
write it (`audit.clients.state`); execution reads it and asks nobody, so a document that runs out
ends entries by the clock alone.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from core import checked_json
from core.errors import InputError

FILE = "clients.json"


class Span(msgspec.Struct, frozen=True, array_like=True):
    """From the approval of a document until it ends (excluded); microseconds, UTC."""

    from_us: int
    until_us: int


class Need(msgspec.Struct, frozen=True):
    """Something that a file must hold, and when it did and does."""

    name: str
    spans: tuple[Span, ...]
    warn_days: int = 0  # so long before its end people are told

    def until_us(self, now_us: int) -> int:
        """When it ends, with documents that cover it one after another; 0 when it lacks now."""
        end = 0
        for span in sorted(self.spans, key=lambda span: span.from_us):
            if span.from_us <= max(now_us, end) and span.until_us > max(now_us, end):
                end = span.until_us
        return end


class ClientFile(msgspec.Struct, frozen=True):
    """What one client's file needs. Before `since_us` they were no client."""

    client: str
    since_us: int
    needs: tuple[Need, ...]

    def lacking(self, now_us: int) -> list[str]:
        """What of it lacks at a moment; nothing: it is in order."""
        return [need.name for need in self.needs if not need.until_us(now_us)]

    def ends(self) -> Iterator[int]:
        """Every moment at which something ends."""
        return (span.until_us for need in self.needs for span in need.spans)


class ClientFiles(msgspec.Struct, frozen=True):
    """All files, as they were checked. Later than `counts_until_us` nobody knows."""

    version: str  # of `clients` alone: a check that changes nothing keeps it
    checked_us: int
    counts_until_us: int
    clients: tuple[ClientFile, ...] = ()

    def of(self, client: str) -> ClientFile | None:
        """A client's; None: it has none."""
        return next((file for file in self.clients if file.client == client), None)


def path_in(home: Path) -> Path:
    """Where a home keeps it."""
    return home / FILE


def load(path: Path) -> ClientFiles | None:
    """What was published; None: nothing ever was.

    Raises:
        InputError: it is damaged.
    """
    try:
        return checked_json.read(path, ClientFiles)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        problem = f"{error}; write it anew: tickhouse clients check"
        raise InputError(str(path), problem) from error
