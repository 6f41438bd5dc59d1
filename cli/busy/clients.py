"""A client of a busy day whose identity was checked, and people who asked for their data."""

from collections.abc import Mapping

from cli.busy.day import MINUTE, Day
from core.audit_log import AuditLine

_WHO, _DOCUMENT = "p-0123456789ab", "d-0123456789ab"


def orders(day: Day) -> list[AuditLine]:
    """Lines of the audit log."""
    return [*_client(day), *_requests(day)]


def _client(day: Day) -> list[AuditLine]:
    """One whose identity ends in three weeks."""
    at, ends = day.end_us - 60 * MINUTE, day.end_us + 21 * 1440 * MINUTE
    kept = {
        "document": _DOCUMENT, "kind": "passport", "issued": "2016-12-14", "expires": "2026-12-14",
        "sealed": "0" * 64, "fingerprint": "1" * 64,
    }  # fmt: skip
    need = {
        "client": _WHO, "need": "identity", "warn_days": 30, "from_us": [at], "until_us": [ends],
    }  # fmt: skip
    published = {"version": "0123456789ab", "clients": [need]}
    return [
        _line(at, "ann", "client added", _WHO, {"category": "person"}),
        _line(at + MINUTE, "ann", "client document added", _WHO, kept),
        _line(at + 2 * MINUTE, "bob", "client document approved", _WHO, {"document": _DOCUMENT}),
        _line(at + 3 * MINUTE, "bob", "client files published", "", published),
    ]


def _requests(day: Day) -> list[AuditLine]:
    """One who had an answer, and one who waits."""
    at, case = day.end_us - 50 * MINUTE, "request-01234567"
    asks = {"kind": "access", "pseudonym": _WHO}
    waits = {"kind": "erasure", "pseudonym": "p-ba9876543210"}
    return [
        _line(at, "ann", "privacy opened", case, asks),
        _line(at + MINUTE, "ann", "privacy exported", case, {"basis": ""}),
        _line(at + 2 * MINUTE, "ann", "privacy opened", "request-89abcdef", waits),
    ]


def _line(at_us: int, by: str, action: str, about: str, payload: Mapping[str, object]) -> AuditLine:
    return AuditLine(
        ts_us=at_us,
        by=by,
        authenticated=True,
        action=action,
        detail=action,
        subject=about,
        reason="a letter",
        payload=payload,
    )
