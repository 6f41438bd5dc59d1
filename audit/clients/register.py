"""Who is a client, and the documents of each: a fold over the audit trail, under pseudonyms.

What a document says is in the vault alone (`audit.clients.papers`); here are kind, days and who
added and approved it. Each step is a chained event, and nothing is kept beside the trail but what
was published of it for execution.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from audit.clients.needs import Category
from audit.retention.holds import ERASED
from core import audit_log
from core.audit_log import AuditLine
from core.clock import Clock
from core.contracts.audit import AuditEvent
from core.errors import SettingsError
from core.settings import Settings

ADDED, ENDED = "client added", "client ended"
KEPT, APPROVED = "client document added", "client document approved"
REJECTED, OPENED = "client document rejected", "client document opened"
SEARCHED, PUBLISHED = "client documents searched", "client files published"
_AHEAD_US = 5_000_000  # clocks of two machines
Status = Literal["waits", "approved", "rejected"]


class Document(NamedTuple):
    """One document. Days are UTC, times microseconds; 0: not yet."""

    name: str
    client: str
    kind: str
    issued: date
    expires: date | None
    sealed: str  # SHA-256 of what the vault keeps
    fingerprint: str  # the same for the same content, under the client's key
    added_by: str
    approved_by: str = ""
    approved_us: int = 0
    rejected_by: str = ""
    rejected_us: int = 0

    @property
    def status(self) -> Status:
        """How far it is."""
        if self.rejected_us:
            return "rejected"
        return "approved" if self.approved_us else "waits"


class ClientRecord(NamedTuple):
    """A client."""

    pseudonym: str
    category: Category
    since_us: int
    ended_us: int = 0
    is_erased: bool = False


class Register(NamedTuple):
    """All of them, and what was published last: version, time and the newest check."""

    clients: dict[str, ClientRecord]
    documents: dict[str, Document]
    published: str
    newest_us: int  # of any step

    def of(self, client: str) -> list[Document]:
        """Documents of a client, the first first."""
        return [document for document in self.documents.values() if document.client == client]

    def client(self, pseudonym: str) -> ClientRecord:
        """One who is a client now.

        Raises:
            SettingsError: they are not.
        """
        record = self.clients.get(pseudonym)
        if record is None:
            raise SettingsError(f"{pseudonym} is no client: tickhouse clients add {pseudonym}")
        if record.ended_us or record.is_erased:
            raise SettingsError(f"{pseudonym} is a client no longer")
        return record

    def check_clock(self, now_us: int, checked_us: int = 0) -> None:
        """Whether the clock goes on: set back, it would make valid again what has run out.

        Raises:
            SettingsError: it is behind a step of the register, or the newest check.
        """
        behind_us = max(self.newest_us, checked_us) - now_us
        if behind_us > _AHEAD_US:
            raise SettingsError(
                f"the clock is {behind_us / 1e6:.0f} s behind the newest step of clients' files:"
                " set it right"
            )

    def document(self, name: str) -> Document:
        """One document.

        Raises:
            SettingsError: there is none of that name.
        """
        if name not in self.documents:
            raise SettingsError(f"no document {name!r}: tickhouse clients documents lists them")
        return self.documents[name]


def register(home: Path) -> Register:
    """As the home's audit log says.

    Raises:
        InputError: it is damaged.
    """
    return fold(audit_log.read(audit_log.path_in(home)))


def fold(events: Iterable[AuditEvent]) -> Register:
    """What events say."""
    known = Register({}, {}, "", 0)
    for event in events:
        if event.action in _STEPS:
            _take(known, event, msgspec.json.decode(event.detail))
            version = known.published
            if event.action == PUBLISHED:
                version = str(msgspec.json.decode(event.detail)["version"])
            newest = max(known.newest_us, event.ts_event_us)
            known = known._replace(published=version, newest_us=newest)
    return known


def note(
    settings: Settings, clock: Clock, action: str, client: str, by: str, known: bool, reason: str,
    detail: str = "", **payload: Any,
) -> None:  # fmt: skip
    """A step, as a chained event about a client."""
    line = AuditLine(
        ts_us=clock.now_us(), by=by, authenticated=known, action=action, detail=detail,
        subject=client, reason=reason, payload=payload,
    )  # fmt: skip
    audit_log.append(settings.home_path, line)


_STEPS = frozenset({ADDED, ENDED, KEPT, APPROVED, REJECTED, PUBLISHED, ERASED})


def _take(known: Register, event: AuditEvent, payload: dict[str, Any]) -> None:
    clients, documents, at_us = known.clients, known.documents, event.ts_event_us
    if event.action == ADDED:
        clients[event.subject] = ClientRecord(event.subject, payload["category"], at_us)
    elif event.action == KEPT:
        document = _document(event, payload)
        documents[document.name] = document
    elif event.action == APPROVED:
        name = payload["document"]
        documents[name] = documents[name]._replace(approved_by=event.actor, approved_us=at_us)
    elif event.action == REJECTED:
        name = payload["document"]
        documents[name] = documents[name]._replace(rejected_by=event.actor, rejected_us=at_us)
    elif event.action == ENDED and event.subject in clients:
        clients[event.subject] = clients[event.subject]._replace(ended_us=at_us)
    elif event.action == ERASED and event.subject in clients:
        clients[event.subject] = clients[event.subject]._replace(is_erased=True)


def _document(event: AuditEvent, payload: dict[str, Any]) -> Document:
    expires = payload["expires"]
    return Document(
        name=payload["document"], client=event.subject, kind=payload["kind"],
        issued=date.fromisoformat(payload["issued"]),
        expires=date.fromisoformat(expires) if expires else None,
        sealed=payload["sealed"], fingerprint=payload["fingerprint"], added_by=event.actor,
    )  # fmt: skip
