"""What is known of the instruments of feeds, as table `instrument` keeps it for SQL."""

from collections.abc import Iterable

from adapters.clickhouse.rows import instrument_columns
from adapters.clickhouse.writer import Writer
from core.instruments import known


def store(writer: Writer, feeds: Iterable[tuple[str, str]]) -> None:
    """Every dated entry of each (source, symbol); one that nothing is known of is left out."""
    book = known()
    for source, symbol in sorted(feeds):
        if symbol in book:
            writer.insert("instrument", instrument_columns(source, book[symbol]))
