"""Whose reports: of all accounts of the home, or of one firm's among them.

A home is one firm until `reports.firms` names parties of the reference data. Each of these then has
reports of its own, `rts22@alpha`, from marts that hold nothing but its accounts: those for which it
is the executing party on the day. Versions, sign-offs and deadlines are the report's own, too.
"""

import re
from datetime import date
from importlib import resources
from typing import Any

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.errors import SettingsError
from core.settings import Settings

#: Part of the names of folders and databases, so no dash and no capital.
_PARTY = re.compile("[a-z0-9][a-z0-9_]{0,31}")
_KNOWN = "SELECT count() FROM reference_party WHERE party = {firm:String}"


def firms(settings: Settings) -> tuple[str, ...]:
    """Parties with reports of their own; ("",) when the home is one firm.

    Raises:
        SettingsError: a name that is no party's, or one twice.
    """
    named = settings.reports.firms
    for firm in named:
        if not _PARTY.fullmatch(firm) or named.count(firm) > 1:
            problem = f"{firm!r}: each party once, of small letters, digits and _, at most 32"
            raise SettingsError(f"reports.firms: {problem}")
    return named or ("",)


def accounts(client: Client, firm: str, mode: str, day: date) -> tuple[str, ...]:
    """A firm's accounts of a mode by the reference data of a UTC day; of "" nobody asks.

    Raises:
        SettingsError: the reference data know no such party.
        WarehouseError, UnavailableError: it refused, or does not answer.
    """
    sql = resources.files("reports").joinpath("firm_accounts.sql").read_text("utf-8")
    given: dict[str, Any] = {"firm": firm, "mode": mode, "day": day}
    with errors_translated():
        if not client.query(_KNOWN, parameters=given).result_rows[0][0]:
            raise SettingsError(f"{firm!r} is no party of the reference data: parties.csv")
        rows = client.query(sql, parameters=given).result_rows
    return tuple(str(account) for (account,) in rows)
