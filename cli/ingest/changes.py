"""Who changes stored ticks from the command line, and with what rights."""

from adapters.clickhouse.corrections import Corrections
from adapters.clickhouse.writer import Writer
from core.clock import SystemClock
from core.identity import this_user
from core.settings import Settings


def author(settings: Settings) -> str:
    """As who corrections are noted: who signs in to the warehouse, else who is logged in here."""
    where = settings.clickhouse
    return where.user if where.names_a_user else this_user()


def corrections_of(writer: Writer, settings: Settings, process: str) -> Corrections:
    """Corrections that restate bars: the writer is signed in as SETUP at least."""
    return Corrections(writer, settings.home_path, SystemClock(), process, restates=True)
