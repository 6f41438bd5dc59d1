"""A made-up trading day in a warehouse with reference data, and the report marts built over it."""

from pathlib import Path

from cli.main import main
from core.contracts.order import EventKind, OrderEvent
from core.sections import ClickhouseSettings
from tests.support.dbt_command import dbt_command
from tests.support.orders import at, event, filled
from tests.support.warehouse_server import ROOT

DAY = "2026-03-02"
TEMPLATES = ROOT / "reports" / "templates" / "reference"


def dbt(
    where: ClickhouseSettings, home: Path, *words: str, mode: str = "live", day: str = ""
) -> str:
    """Run dbt against a warehouse and return what it printed."""
    done = dbt_command(where, home, words, {"mode": mode, "report_date": day})
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def import_reference(files: list[Path], reason: str = "first load") -> None:
    """`tickhouse reference import`; the caller has set TICKHOUSE_HOME and the URL."""
    line = ["reference", "import", *map(str, files), "--by", "ann", "--reason", reason]
    assert main(line) == 0


def trading_day(day: str = DAY) -> list[OrderEvent]:
    """Fills whole and in parts, a cancelled rest, a reject, a denial, a stop by the broker."""
    ten = at(f"{day} 10:00")
    second = 1_000_000
    oanda = {"source": "oanda"}
    partly = [
        event(2, EventKind.RECEIVED, ten + second, **oanda, side="sell", volume=3.0),
        event(2, EventKind.SUBMITTED, ten + second + 500, **oanda, side="sell", volume=3.0),
        event(2, EventKind.ACCEPTED, ten + second + 900, **oanda, side="sell", volume=3.0),
        event(
            2, EventKind.PARTIALLY_FILLED, ten + second + 1_500, **oanda, side="sell", volume=1.0,
            price=5000.5, venue_deal=201, venue_order=20, venue_position=20, commission=-1.0,
        ),
        event(
            2, EventKind.PARTIALLY_FILLED, ten + second + 2_500, **oanda, side="sell", volume=1.5,
            price=5000.0, venue_deal=202, venue_order=20, venue_position=20, commission=-1.5,
        ),
        event(2, EventKind.CANCELLED, ten + second + 2_500, **oanda, side="sell", volume=0.5,
              reason="rest"),
    ]  # fmt: skip
    refused = [
        event(3, EventKind.RECEIVED, ten + 2 * second, **oanda),
        event(3, EventKind.SUBMITTED, ten + 2 * second + 100, **oanda),
        event(3, EventKind.REJECTED, ten + 2 * second + 900, **oanda, reason="10019 No money"),
        event(4, EventKind.RECEIVED, ten + 3 * second, **oanda),
        event(
            4, EventKind.DENIED, ten + 3 * second + 10, **oanda, reason="oversized", limit=1.0,
            observed=5.0, limits_version="limits-7", volume=5.0,
        ),
    ]  # fmt: skip
    stopped = event(
        1, EventKind.CLOSED, ten + 60 * second, **oanda, side="sell", purpose="stop", price=4990.0,
        venue_deal=301, venue_order=30, venue_position=1, profit=-10.25, commission=-1.0,
        reason="stop",
    )  # fmt: skip
    spot = filled(5, ten + 5 * second, **oanda, symbol="EURUSD", volume=0.1, price=1.17123)
    return [*filled(1, ten, **oanda), *partly, *refused, *spot, stopped]
