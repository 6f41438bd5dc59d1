"""A trading day as a span of UTC time: from 17:00 New York to 17:00 New York."""

from datetime import UTC, date, datetime, time, timedelta

from core.instruments import NEW_YORK


def bounds(day: date) -> tuple[datetime, datetime]:
    """First moment of the day and of the next one, UTC."""
    close = time(17)
    start = datetime.combine(day - timedelta(days=1), close, NEW_YORK)
    return start.astimezone(UTC), datetime.combine(day, close, NEW_YORK).astimezone(UTC)
