"""What compliance needs before its schedules have anything to do, and what to do about its lack.

The schedules are on from the first day and ask here each time. So nobody has to switch them on:
they begin when reference data are loaded and the key is set, and say what is missing until then.
"""

from pathlib import Path

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.settings import Settings

NO_REFERENCE = (
    "no reference data of a firm are loaded, so no report can name it: fill in the templates and"
    " run `tickhouse reference import FILE... --by WHO --reason TEXT`; the next night makes reports"
)
NO_KEY = (
    "no signing key: run `tickhouse audit keygen PATH` with a path outside the home, and set"
    " TICKHOUSE_REPORTS__SIGNING_KEY; the next night seals"
)
NO_PUBLIC_KEY = "set TICKHOUSE_REPORTS__PUBLIC_KEY to the .pub file beside the signing key"


def missing_for_reports(client: Client) -> str:
    """Why no report can be made; empty when they can.

    Raises:
        WarehouseError, UnavailableError: it cannot be asked.
    """
    with errors_translated():
        firms = client.query(
            "SELECT count() FROM reference_party WHERE party = 'firm'"
        ).result_rows[0][0]
    return "" if firms else NO_REFERENCE


def missing_for_seals(settings: Settings) -> str:
    """Why no day can be sealed; empty when it can."""
    key = settings.reports.signing_key
    if not key:
        return NO_KEY
    if not Path(key).expanduser().exists():
        return f"the signing key {key} is not there (TICKHOUSE_REPORTS__SIGNING_KEY)"
    return ""
