"""The room for compliance staff over a real warehouse: a day with abuse, an incident, a request."""

from pathlib import Path

from audit.export import export
from audit.privacy import cases as privacy
from core.clock import ManualClock
from core.contracts.order import EventKind
from core.settings import Settings
from quality.check_result import store as store_checks
from quality.trail import trail_result
from surveillance.abuse import scan
from surveillance.firing import Change, StandingAlert
from surveillance.incidents import register
from tests.support import compliance_room as room
from tests.support.abuse_days import DAY, PLANTED, clean
from tests.support.orders import at, event, store
from tests.support.warehouse_server import Warehouse

NOW_US = at("2026-03-04 09:00")
BEGAN_US = at("2026-03-04 08:30")
NASTY = '<img src=x onerror="document.title=1">'


def furnish(server: Warehouse, home: Path) -> Settings:
    """The home's settings as its live page has them: it reads as `board`."""
    room.with_users(home)
    clock = ManualClock(NOW_US)
    settings = Settings(home=str(home), clickhouse=server.settings_of("board"))
    flow = clean(DAY)
    for name in ("layering", "wash_trade"):
        PLANTED[name](flow)
    store(server.settings, flow.numbered())
    denied = event(
        9, EventKind.DENIED, at("2026-03-03 10:00"), source="oanda", reason="position limit",
        limit=5.0, observed=7.0,
    )  # fmt: skip
    store(server.settings, [denied])
    scan.scan(server.client, home, "live", DAY, NOW_US)
    alert = StandingAlert("process_down", NASTY, 61.0, 60.0, BEGAN_US, BEGAN_US)
    register.of_alert(home, Change("fired", alert, False), "live", "main", BEGAN_US)
    privacy.open_case(settings, "erasure", "p-0123456789abcdef", "bob", "a letter", True, clock)
    store_checks(server.client, [trail_result(1_234, ["people, event 7: changed"], BEGAN_US)])
    store_checks(server.client, [trail_result(1_240, [], NOW_US)])
    room.version(settings, breaks=("error", "warning"), value=NASTY)
    room.version(settings, breaks=("warning",), value=NASTY)
    export(server.client, server.settings, home)
    return settings
