"""Market times on the command line."""

from datetime import UTC, datetime

from core.errors import SettingsError

BEGINNING, END = 0, 1 << 62  # microseconds UTC


def time_us(text: str | None, otherwise: int) -> int:
    """Microseconds UTC; a time without a zone is UTC.

    Raises:
        SettingsError: the text is no time.
    """
    if text is None:
        return otherwise
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{text!r} is no time: write 2014-05-02T12:30:00Z") from error
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1e6)
