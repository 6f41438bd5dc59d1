"""The check of all clients' files against vault and register, published for execution.

A document covers its need from its approval to the end of its last day (UTC), unless it was
rejected or its client went before. What the vault does not have as it was added covers nothing.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from audit.clients import needs
from audit.clients import register as registers
from audit.clients.needs import DocumentNeed
from audit.clients.register import ClientRecord, Document, Register
from audit.privacy.vault import Vault
from core import audit_log, checked_json, client_files, durable
from core.audit_log import AuditLine
from core.client_files import ClientFile, ClientFiles, Need, Span
from core.clock import Clock
from core.errors import InputError
from core.file_lock import locked
from core.settings import Settings

COUNTS_HOURS = 48  # so long execution goes by a check
_HOUR_US = 3_600_000_000


def publish(
    settings: Settings, vault: Vault, clock: Clock, by: str, *, known: bool = False
) -> ClientFiles:
    """Check every file and let execution know; a chained event says what, when it is new.

    One at a time: a check that began before a rejection must not be written after it.

    Raises:
        SettingsError: the vault is not there, or the clock is behind what was published or noted:
            then what was published stays, and execution goes by it until it is too old.
        BusyError: another process kept the lock.
    """
    vault.check_reachable()
    with locked(settings.home_path / "clients.lock"):
        return _publish(settings, vault, clock, by, known)


def _publish(settings: Settings, vault: Vault, clock: Clock, by: str, known: bool) -> ClientFiles:
    home, now = settings.home_path, clock.now_us()
    register = registers.register(home)
    register.check_clock(now, _checked_us(settings))
    files = tuple(checked(register, needs.load(home), vault))
    version = hashlib.sha256(msgspec.json.encode(files)).hexdigest()[:12]
    if version != register.published:
        line = AuditLine(
            ts_us=now, by=by, authenticated=known, action=registers.PUBLISHED,
            detail=f"clients' files {version}", subject="", reason="a check",
            payload={"version": version, "clients": msgspec.to_builtins(_stated(files))},
        )  # fmt: skip
        audit_log.append(home, line)
    state = ClientFiles(version, now, now + COUNTS_HOURS * _HOUR_US, files)
    durable.write(client_files.path_in(home), checked_json.encode(state), durable.PRIVATE)
    return state


def checked(
    register: Register, needed: Mapping[str, DocumentNeed], vault: Vault
) -> list[ClientFile]:
    """Of everybody who is a client now."""
    return [
        _file(client, register.of(client.pseudonym), needed, vault)
        for client in register.clients.values()
        if not client.ended_us and not client.is_erased
    ]


def _file(
    client: ClientRecord, documents: list[Document], needed: Mapping[str, DocumentNeed],
    vault: Vault,
) -> ClientFile:  # fmt: skip
    kept = [
        document
        for document in documents
        if document.approved_us and vault.is_kept(client.pseudonym, document.name, document.sealed)
    ]
    mine = {name: need for name, need in needed.items() if client.category in need.of}
    return ClientFile(
        client.pseudonym, client.since_us,
        tuple(Need(name, _spans(need, kept), need.warn) for name, need in sorted(mine.items())),
    )  # fmt: skip


def _spans(need: DocumentNeed, documents: list[Document]) -> tuple[Span, ...]:
    spans = []
    for document in documents:
        if document.kind in need.kinds:
            last = need.last_day(document.issued, document.expires)
            until = min(needs.end_of_day_us(last), document.rejected_us or needs.FOREVER_US)
            if until > document.approved_us:
                spans.append(Span(document.approved_us, until))
    return tuple(sorted(spans, key=lambda span: (span.from_us, span.until_us)))


def _stated(files: tuple[ClientFile, ...]) -> list[dict[str, object]]:
    """A row for each need of each client, as the warehouse's view reads them."""
    return [
        {
            "client": file.client, "need": need.name, "warn_days": need.warn_days,
            "from_us": [span.from_us for span in need.spans],
            "until_us": [span.until_us for span in need.spans],
        }
        for file in files
        for need in file.needs
    ]  # fmt: skip


def _checked_us(settings: Settings) -> int:
    """When files were checked last."""
    try:
        before = client_files.load(client_files.path_in(settings.home_path))
    except InputError:
        return 0  # damaged: this check writes it anew
    return before.checked_us if before else 0
