"""A home of two firms: a night of one of them, by Dagster, holds its own accounts alone."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from core.errors import SettingsError
from reports import firms, package
from reports.package import Version
from reports.tables import rows_of
from tests.support.compliance import DAY, TEMPLATES, import_reference, trading_day
from tests.support.dagster_runs import dagster_runs
from tests.support.dbt_command import share_reading
from tests.support.orders import at, filled, journalled, store
from tests.support.smtp_receiver import Mail, SmtpReceiver
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="golden")]
THE_DAY = date.fromisoformat(DAY)
#: acc1 is alpha's by its own row, every other account beta's.
ACCOUNTS = """\
account,source,valid_from,executing_party,client_party,counterparty,submitter,investment_firm,capacity,branch_country,mandate
acc1,oanda,2010-01-01,alpha,alpha,broker,submitter,yes,DEAL,,no
*,*,2010-01-01,beta,beta,broker,submitter,yes,DEAL,,no
"""
PARTIES = """\
party,valid_from,legal_name,lei,lei_valid_until,country
alpha,2010-01-01,Alpha Fictitious GmbH,TICKHOUSEDEMOFIRM093,2030-12-31,DE
beta,2010-01-01,Beta Fictitious GmbH,TICKHOUSEDEMOSUBM082,2030-12-31,DE
"""


class Firms(NamedTuple):
    """The home after one night of both firms."""

    home: Path
    server: Warehouse
    runs: list[dict[str, object]]
    mails: list[Mail]

    def version(self, name: str, firm: str) -> Version:
        return package.newest(self.home / "reports", f"{name}@{firm}", THE_DAY, "live")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firms]:
    home = tmp_path_factory.mktemp("firms")
    files = {"accounts.csv": ACCOUNTS, "parties.csv": PARTIES}
    own = [home / "reference" / name for name in files]
    own[0].parent.mkdir()
    for path in own:
        path.write_text(files[path.name])
    server = migrated(home)
    share_reading(home)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TICKHOUSE_HOME", str(home))
            server.reached(patch)
            shipped = (path for path in TEMPLATES.glob("*.csv") if path.name != "accounts.csv")
            import_reference([*sorted(shipped), *own])
        for account, events in {
            "acc1": trading_day(),
            "acc2": filled(21, at(f"{DAY} 11:00"), source="oanda", account="acc2", volume=2.0),
        }.items():
            journal = home / "execution" / account / "journal"
            store(server.settings, journalled(journal, events))
        with SmtpReceiver() as post:
            runs = dagster_runs(
                home, f"reports_job:{DAY}|beta",  # alpha's would cost as much again
                TICKHOUSE_REPORTS__FIRMS="alpha,beta",
                TICKHOUSE_REPORTS__MAIL_TO="officer@example.com",
                TICKHOUSE_ALERTS__SMTP=f"127.0.0.1:{post.port}",
                TICKHOUSE_ALERTS__SMTP_SECURITY="insecure",
            )  # fmt: skip
        yield Firms(home, server, runs, post.mails)
    finally:
        server.stop()


def test_a_firms_reports_hold_its_accounts_alone(desk: Firms) -> None:
    assert [run["failures"] for run in desk.runs] == [[]]
    for name, file in (("rts22", "transactions.csv"), ("order-records", "order_records.csv"),
                       ("execution-quality", "orders.csv")):  # fmt: skip
        rows = list(rows_of(desk.version(name, "beta").folder / file))
        assert {row["account"] for row in rows} == {"acc2"}, name
    assert len(list(rows_of(desk.version("rts22", "beta").folder / "transactions.csv"))) == 1


def test_the_firm_that_executes_is_the_one_the_report_is_of(desk: Firms) -> None:
    (row,) = rows_of(desk.version("rts22", "beta").folder / "transactions.csv")
    assert row["f04_executing_entity"] == "TICKHOUSEDEMOSUBM082"


def test_every_report_of_the_night_is_sent_once(desk: Firms) -> None:
    names = [
        str(part.get_filename())
        for mail in desk.mails
        for part in mail.message.walk()
        if part.get_filename()
    ]
    assert len(names) == len(set(names)) >= 10
    assert {"rts22@beta.pdf", "client-money@beta.pdf"} <= set(names)


def test_a_firm_that_nobody_named_is_refused(desk: Firms) -> None:
    with pytest.raises(SettingsError, match="no party of the reference data"):
        firms.accounts(desk.server.client, "gamma", "live", THE_DAY)
    assert firms.accounts(desk.server.client, "beta", "live", THE_DAY) == ("acc2",)
