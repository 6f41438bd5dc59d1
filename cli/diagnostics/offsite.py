"""How old the newest backup is that left the host, in words."""

from adapters.offsite.note import read_note
from core.clock import Clock
from core.settings import Settings

_HOUR_US = 3_600_000_000


def offsite(settings: Settings, clock: Clock) -> str:
    """Of a home: the newest one's age and size, the last drill, why the newest attempt failed."""
    if not settings.backup.destination:
        return "none: backup.destination is not set"
    note, now_us = read_note(settings.home_path), clock.now_us()
    parts = ["none was made yet"]
    if note.newest:
        hours = (now_us - note.newest.ts_us) / _HOUR_US
        late = ", older than rules.backup_hours" if hours > settings.rules.backup_hours else ""
        parts = [f"{hours:.1f} h old{late}, {note.newest.size:,} bytes"]
    if note.drilled:
        parts.append(f"last drill {(now_us - note.drilled.ts_us) / _HOUR_US:.1f} h ago")
    if note.failed:
        parts.append(f"the newest attempt failed: {note.failed}")
    return "; ".join(parts)
