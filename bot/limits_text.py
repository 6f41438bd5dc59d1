"""The limits in force, as `tickhouse limits show` prints them."""

from core.clock import Clock
from core.settings import Settings
from execution.risk.controls import limits_in_force
from execution.risk.limits import of_settings, parse, render


def limits_text(settings: Settings, clock: Clock) -> str:
    """Version and values. Blocking.

    Raises:
        TickhouseError: what holds cannot be read.
    """
    content = limits_in_force(settings, clock)
    name = str(settings.home_path / "limits.toml")
    book = parse(content, name) if content else of_settings(settings.execution)
    return f"Limits {book.version}:\n{render(book)}"
