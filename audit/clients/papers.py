"""Documents of clients: kept in the vault by one person, approved by another, searched there."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from audit.clients import needs, text
from audit.clients import register as registers
from audit.clients.register import ClientRecord, Document, Register
from audit.privacy.vault import Vault
from core.clock import Clock
from core.errors import InputError, SettingsError
from core.settings import Settings

_AROUND = 40  # characters beside what a search met


class Paper(msgspec.Struct, frozen=True, array_like=True):
    """What the vault keeps of a document."""

    file_name: str
    content: bytes
    text: str
    sha256: str  # of the content


class Offered(NamedTuple):
    """A document as somebody brings it."""

    path: Path
    kind: str
    issued: date
    expires: date | None


class Match(NamedTuple):
    """Where a search met its words."""

    document: Document
    excerpt: str


class Desk(NamedTuple):
    """Who works with documents, where, and why."""

    settings: Settings
    vault: Vault
    clock: Clock
    by: str
    known: bool
    reason: str

    def note(self, action: str, document: Document) -> None:
        """A step about a document."""
        self.vault.check_reason(document.client, self.reason)
        registers.note(
            settings=self.settings, clock=self.clock, action=action, client=document.client,
            by=self.by, known=self.known, reason=self.reason, detail=document.name,
            document=document.name,
        )  # fmt: skip


def add(desk: Desk, client: str, offered: Offered) -> str:
    """A document of a client; its name. It waits until somebody else approves it.

    Raises:
        SettingsError: no client, a kind that no file needs, days that cannot be, or the same
            document is there.
        InputError: the file cannot be read.
    """
    known = registers.register(desk.settings.home_path)
    record = known.client(client)
    known.check_clock(desk.clock.now_us())
    _check_days(desk, record, offered)
    content = _content(offered.path)
    fingerprint = desk.vault.fingerprint(client, content)
    _check_new(desk, known, client, fingerprint)
    paper = Paper(
        offered.path.name, content, text.text_of(content, offered.path),
        hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    name = f"d-{secrets.token_hex(6)}"
    payload = {
        "document": name, "kind": offered.kind, "issued": str(offered.issued),
        "expires": str(offered.expires or ""), "fingerprint": fingerprint,
    }  # fmt: skip
    desk.vault.keep(client, name, msgspec.msgpack.encode(paper), registers.KEPT, desk.reason,
                    payload)  # fmt: skip
    return name


def approve(desk: Desk, name: str) -> Document:
    """By somebody else than who added it.

    Raises:
        SettingsError: no such document, or it does not wait, or the same person added it.
        InputError: the vault does not have it as it was added.
    """
    known = registers.register(desk.settings.home_path)
    document = known.document(name)
    known.client(document.client)
    known.check_clock(desk.clock.now_us())
    if document.status != "waits":
        raise SettingsError(f"{name} is {document.status} already")
    if document.added_by.casefold() == desk.by.casefold():
        raise SettingsError(f"{desk.by} added {name}: somebody else approves it")
    if not desk.vault.is_kept(document.client, name, document.sealed):
        raise InputError(name, "the vault does not have it as it was added; bring the vault back")
    desk.note(registers.APPROVED, document)
    return document


def reject(desk: Desk, name: str) -> Document:
    """It counts no more, whether it was approved or waits.

    Raises:
        SettingsError: no such document, or it is rejected.
    """
    document = registers.register(desk.settings.home_path).document(name)
    if document.status == "rejected":
        raise SettingsError(f"{name} is rejected already")
    desk.note(registers.REJECTED, document)
    return document


def opened(desk: Desk, client: str, documents: Iterable[Document]) -> dict[str, Paper]:
    """What documents of a client say, by name.

    Raises:
        SettingsError, InputError: they cannot be opened; see `Vault.opened`.
    """
    names = [document.name for document in documents]
    sealed = desk.vault.opened(client, names, registers.OPENED, desk.reason)
    return {name: msgspec.msgpack.decode(plain, type=Paper) for name, plain in sealed.items()}


def search(desk: Desk, words: str, client: str = "") -> list[Match]:
    """Documents in whose text words stand, one after another; of all clients, or of one.

    Each client whose documents are opened for it has an event that says so, without the words.

    Raises:
        SettingsError, InputError: nothing to search for; or see `opened`.
    """
    wanted = _plain(words)
    if not wanted:
        raise SettingsError("nothing to search for")
    known = registers.register(desk.settings.home_path)
    matches = []
    for record in known.clients.values():
        documents = known.of(record.pseudonym)
        if record.is_erased or not documents or client not in ("", record.pseudonym):
            continue
        names = [document.name for document in documents]
        sealed = desk.vault.opened(record.pseudonym, names, registers.SEARCHED, desk.reason)
        for document in documents:
            paper = msgspec.msgpack.decode(sealed[document.name], type=Paper)
            matches += [Match(document, excerpt) for excerpt in _excerpts(paper.text, wanted)]
    return matches


def _check_days(desk: Desk, record: ClientRecord, offered: Offered) -> None:
    today = datetime.fromtimestamp(desk.clock.now_us() / 1e6, UTC).date()
    fitting = needs.of_kind(needs.load(desk.settings.home_path), offered.kind)
    mine = [need for need in fitting if record.category in need.of]
    if not mine:
        raise SettingsError(f"the file of a {record.category} holds no {offered.kind}")
    if offered.issued > today:
        raise SettingsError(f"issued {offered.issued} is in the future")
    if offered.expires and offered.expires < offered.issued:
        raise SettingsError(f"expires {offered.expires} is before it was issued, {offered.issued}")
    if not offered.expires and any(need.ends == "printed" for need in mine):
        raise SettingsError(f"a {offered.kind} has an end: give --expires")
    if max(need.last_day(offered.issued, offered.expires) for need in mine) < today:
        raise SettingsError("it has run out: ask for a newer one")


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > text.LARGEST:  # before it is read
            raise InputError(str(path), f"larger than {text.LARGEST >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise InputError(str(path), error.strerror or "cannot be read") from error


def _check_new(desk: Desk, known: Register, client: str, fingerprint: str) -> None:
    """One that was rejected, or that the vault has lost, may come again."""
    for one in known.of(client):
        same = one.fingerprint == fingerprint and one.status != "rejected"
        if same and desk.vault.is_kept(client, one.name, one.sealed):
            raise SettingsError(f"the same document is there already: {one.name}, {one.status}")


def _plain(words: str) -> str:
    return re.sub(r"\s+", " ", words).strip().casefold()


def _excerpts(content: str, wanted: str) -> list[str]:
    """The first place, with what stands around it."""
    plain = re.sub(r"\s+", " ", content)
    at = plain.casefold().find(wanted)
    return [plain[max(at - _AROUND, 0) : at + len(wanted) + _AROUND].strip()] if at >= 0 else []
