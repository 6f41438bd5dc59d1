"""The bus's password: of the settings, or of a file that was mounted for it."""

from pathlib import Path

from core.errors import SettingsError
from core.settings import BusSettings


def password(settings: BusSettings) -> str:
    """What `bus.password` or the first line of `bus.password_file` says.

    Raises:
        SettingsError: the file cannot be read.
    """
    if settings.password or not settings.password_file:
        return settings.password
    try:
        lines = Path(settings.password_file).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"bus.password_file: {error}; a readable text file is needed"
            " (TICKHOUSE_BUS__PASSWORD_FILE)"
        ) from error
    return lines[0].strip() if lines else ""
