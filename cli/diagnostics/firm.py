"""What an account has left before each rule of its firm, and the next event of the calendar."""

from datetime import UTC, datetime

from cli.diagnostics import status_rows
from cli.diagnostics.status import StackStatus
from core import calendar
from core.calendar import Calendar
from core.clock import Clock, SystemClock
from core.errors import TickhouseError
from core.settings import Settings
from execution.risk import limits
from execution.risk.controls import limits_in_force
from execution.risk.firm_rules import CLOSE_OUT, NEGATIVE

_WEEK_US = 7 * 86_400_000_000


def firm(settings: Settings, status: StackStatus) -> list[str]:
    """A line for each rule; nothing for an account that no firm's rules hold for."""
    try:
        content = limits_in_force(settings, SystemClock())
        named = limits.parse(content, "limits").firm_of(settings.run.account) if content else None
        if named is None:
            return []
        rows = (
            status_rows.rows(settings, status.stack.urls["warehouse"], "firm_rules")
            if status.stack
            else []
        )
    except TickhouseError as error:
        return [f"unknown: {error}"]
    if not rows:
        return [f"{named[0]}: nothing is known of the account yet"]
    return [_line(named[0], row) for row in rows]


def news(settings: Settings, clock: Clock) -> str:
    """The next important event; "" where the home has no calendar."""
    path, now = calendar.path_in(settings.home_path), clock.now_us()
    try:
        content = calendar.load(path)
    except TickhouseError as error:
        return str(error)
    if not content.events:
        return ""
    if not Calendar(content).covers(now, known_us=now):
        return "the calendar says nothing of today: tickhouse calendar import FILE"
    coming = Calendar(content).between(now, now + _WEEK_US, known_us=now)
    event = next((each for each in coming if each.importance == "high"), None)
    if event is None:
        return "no important event within a week"
    at = datetime.fromtimestamp(event.ts_event_us / 1e6, UTC)
    return f"{at:%a %d %b %H:%M} UTC {event.currency} {event.name}"


def _line(name: str, row: dict[str, object]) -> str:
    rule = str(row["rule"]).replace("_", " ")
    above = row["rule"] in (CLOSE_OUT, NEGATIVE)  # their limit is what the account may not fall to
    how = "above" if above else "left of"
    left = f"{name}: {rule}: {row['headroom']:,.2f} {how} {row['limit']:,.2f}"
    broken = row["broken_us"]
    if not isinstance(broken, int) or not broken:
        return left
    return f"{left}, broken at {datetime.fromtimestamp(broken / 1e6, UTC):%F %T} UTC"
