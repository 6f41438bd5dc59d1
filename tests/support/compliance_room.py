"""A home with reports of two days as packages, three people, and the page for compliance staff."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from starlette.applications import Starlette

from core import identity
from core.clock import Clock
from core.settings import Settings
from dashboards.compliance.room import furnished
from dashboards.entrance.answers import COOKIE, PROOF, Entrance
from dashboards.entrance.door import KEY, Door
from dashboards.entrance.sign_in import SignIn
from dashboards.live import pages
from dashboards.live.alert_answers import AlertAnswers
from dashboards.live.controls import Controls
from dashboards.live.feed_regimes import FeedRegimes
from dashboards.live.items import Items
from dashboards.live.older_bars import OlderBars
from dashboards.live.viewers import Viewers
from reports import build, package
from reports.package import Rendered, ReportManifest, Version
from reports.tables import write_rows

__all__ = ["COOKIE", "DAY", "HOME_USERS", "KEY", "PASSWORD", "PROOF", "application", "version"]

DAY = date(2026, 3, 2)
PASSWORD = "correct horse"
HOME_USERS = {"ann": "compliance", "bob": "compliance", "eve": "admin", "joe": "analyst"}
BREAKS = ("trade_id", "field", "rule_id", "severity", "value")


def with_users(home: Path) -> None:
    """Ann and Bob of compliance, an admin and an analyst."""
    users = {
        name: identity.new_user(name, role, PASSWORD)  # type: ignore[arg-type]
        for name, role in HOME_USERS.items()
    }
    identity.save(identity.path_in(home), users)


def version(
    settings: Settings, name: str = "rts22", day: date = DAY, *, breaks: Sequence[str] = (),
    value: str = "1", made_us: int = 1_772_500_000_000_000,
) -> Version:  # fmt: skip
    """A version of a report as `build_report` leaves it, of rows that are given here.

    Args:
        breaks: severities, a break of each.
        value: what a transaction says; another one makes another version.
    """

    def render(folder: Path, number: int) -> Rendered:
        sent = [["T1", f"o{number}", value]]
        write_rows(folder / "transactions.csv", ("trade_id", "order_id", "price"), iter(sent))
        write_rows(folder / "submission.csv", ("trade_id", "order_id", "price"), iter(sent))
        rows = [[f"T{n}", "f07_buyer", "lei_known", one, value] for n, one in enumerate(breaks)]
        write_rows(folder / "breaks.csv", BREAKS, iter(rows))
        (folder / f"{name}.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
        data = ("transactions.csv", "submission.csv", "breaks.csv")
        counts = {severity: breaks.count(severity) for severity in set(breaks)}
        return Rendered(dict(zip(data, (1, 1, len(rows)), strict=True)), False, counts, data)

    blank = ReportManifest(
        report=name, title="Transaction report, control sheet", day=day, mode="live", version=0,
        layout="draft-1", draft=True, made_us=made_us, query_sha256={}, dbt_invocation="",
        inputs={"order_event live demo": "9 events"}, empty=False, breaks={}, files={},
    )  # fmt: skip
    folder = package.folder_of(build.base_of(settings), name, day, "live")
    return package.add_version(folder, blank, render)[0]


def application(settings: Settings, clock: Clock, *, signed: bool = False) -> Starlette:
    """The page's application with the room in it; its warehouse does not answer."""
    home = settings.home_path
    entrance = Entrance(SignIn(home, clock))
    controls = Controls(home, entrance, clock, lambda: signed)
    door = Door(home, entrance, ("compliance",))
    older = OlderBars(settings.clickhouse).answer
    return pages.application(
        viewers=Viewers(Items()), controls=controls,
        alerts=AlertAnswers(home, entrance, clock, is_real=False), older=older, trace=older,
        risk=older, regimes=FeedRegimes(settings.clickhouse, settings.run).answer,
        furnish=lambda: furnished(settings, clock, door, lambda: signed),
    )  # fmt: skip
