"""Weeks of a home of one person that becomes a firm: who signs what on which day, who edits what.

The home is one that an earlier release left; in the middle it is taken over. Nobody waits: each day
is a start of execution by a clock that is moved on.
"""

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from msgspec.structs import replace

from cli.stack import upgrade, warehouse_setup
from core import durable
from core.controls.approvals import strategies_folder
from core.controls.effects import take_effect
from core.controls.entry import Kind
from core.errors import SettingsError
from core.sections import RunSettings
from core.trading_control import ControlCommand, content_of, halt, path_in
from execution.risk import overrides
from execution.risk.controls import problem_of
from execution.risk.overrides import Override, Overrides
from surveillance.alert import ControlAlert
from surveillance.control_changes import ControlChanges
from tests.support.signed_desk import Decided, Desk, Running
from tests.support.signed_home import DAY_US, END_US, HOUR_US, START_US, SignedHome
from tests.support.warehouse_server import ROOT, Warehouse

RELEASE = ROOT / "tests" / "homes" / "0.2.0.tar.xz"
#: Eight in the morning of a Monday, after the last event of the home that is taken over.
FIRST_US = START_US + 7 * DAY_US + 8 * HOUR_US
TIGHT, MINE = 0.05, "scripted_mine"


class Edit(NamedTuple):
    """A file that somebody changed by hand, and what was said of it."""

    day: int
    path: Path
    health: str  # of the execution that runs; of a strategy it says nothing, for it runs none
    verified: str  # by `audit verify`
    alerts: list[ControlAlert]


class Day(NamedTuple):
    """What people do on a morning; then a tenth of a lot is wanted.

    `by`: number of the entry whose limits must decide.
    """

    what: str
    act: Callable[["Weeks", Running], None]
    outcome: Literal["filled", "denied"]
    by: int


class Weeks:
    """A life; `live` goes through all days."""

    def __init__(self, folder: Path) -> None:
        (folder / "home").mkdir()
        with tarfile.open(RELEASE) as packed:
            # Ours; `extractall(filter=)` is not in the Python 3.11.2 of Debian 12.
            packed.extraction_filter = lambda member, _: member
            packed.extractall(folder / "home")
        self.signed = SignedHome(folder, start_us=FIRST_US)
        self.desk, self.home = Desk(self.signed), self.signed.home
        self.changes = ControlChanges(self.desk.settings, self.signed.clock)
        self.warehouse = Warehouse(self.home)
        self.edits, self.alerts = list[Edit](), list[ControlAlert]()
        self.decided, self.refused = list[Decided](), list[str]()
        self.number, self._edited = 0, (Path(), b"")

    def live(self) -> None:
        for self.number, day in enumerate(DAYS):
            with self.desk.start() as running:
                day.act(self, running)
                self.alerts += self.changes.alerts()
                self.decided.append(running.trade())
                self.inspect(running)
            if day.act is nothing and self.number == UPGRADED:
                self.take_over()
            self.signed.wait(DAY_US)

    def inspect(self, running: Running) -> None:
        """What is said of an edit; then somebody puts the file back."""
        path, before = self._edited
        if path.name:
            verified = problem_of(self.desk.settings, self.signed.clock)
            alerts = [a for a in self.alerts if a.alert_id.startswith("controls.problem.")]
            self.edits.append(Edit(self.number, path, running.problem, verified, alerts[-1:]))
            path.write_bytes(before) if before else path.unlink()
            running.turn()
            assert running.problem == ""
            self.changes.alerts()
            self._edited = Path(), b""

    def edit(self, path: Path, content: bytes) -> None:
        """By hand, while execution runs and stays so."""
        self._edited = path, path.read_bytes() if path.exists() else b""
        durable.write(path, content)

    def take_over(self) -> None:
        """What `up` does with a home of the version before."""
        assert upgrade.begin(self.home) is not None
        self.warehouse.start()
        settings = replace(self.desk.settings, clickhouse=self.warehouse.settings)
        warehouse_setup.migrate(settings, self.warehouse.url)
        upgrade.finish(self.home)

    def holds(self, number: int) -> None:
        """Files of the home say what holds now, as the command line writes them."""
        after = self.signed.now()
        take_effect(self.desk.settings, after.entries[number - 1], after)

    def own_strategy(self) -> Path:
        return self.home / "strategies" / f"{MINE}.py"

    def runs(self) -> str:
        """The text of the person's own strategy as it would be loaded."""
        settings = replace(self.desk.settings, run=RunSettings(mode="demo", strategy=MINE))
        folder = strategies_folder(settings, self.signed.clock)
        return (folder / f"{MINE}.py").read_text()


def nothing(weeks: Weeks, _: Running) -> None:
    """Nobody signs or edits anything."""


def limits(lots: float, by: str = "ann") -> Callable[[Weeks, Running], None]:
    def act(weeks: Weeks, _: Running) -> None:
        weeks.holds(weeks.signed.limits(f"max_lots = {lots}", by).number)

    return act


def approves(number: int, by: str) -> Callable[[Weeks, Running], None]:
    def act(weeks: Weeks, _: Running) -> None:
        weeks.signed.approve(number, by)
        weeks.holds(number)

    return act


def edits_limits(weeks: Weeks, _: Running) -> None:
    weeks.edit(weeks.home / "limits.toml", b'version = "e"\n[limits]\nmax_lots = 50.0\n')


def edits_decisions(weeks: Weeks, _: Running) -> None:
    now = weeks.desk.now_us
    allowed = Override(
        rule="max_lots", value=5.0, account="simulated", symbol="", by="eve", reason="mine",
        from_us=now, until_us=now + DAY_US,
    )  # fmt: skip
    path = overrides.path_in(weeks.home)
    weeks.edit(path, b"")
    overrides.save(path, Overrides([allowed]))


def cuts_the_chain(weeks: Weeks, _: Running) -> None:
    lines = weeks.signed.place.chain.read_bytes().splitlines(keepends=True)
    weeks.edit(weeks.signed.place.chain, b"".join(lines[:2]))


def edits_the_strategy(weeks: Weeks, _: Running) -> None:
    weeks.edit(weeks.own_strategy(), b"edited\n")


def resumes_by_hand(weeks: Weeks, _: Running) -> None:
    order = ControlCommand("active", "eve", "go", weeks.desk.now_us)
    weeks.edit(path_in(weeks.home), content_of(order))


def approves_a_strategy(weeks: Weeks, _: Running) -> None:
    durable.write(weeks.own_strategy(), b"signed\n")
    weeks.signed.sign("strategy", b"signed\n", subject=MINE, until_us=END_US)


def brings_in_bob(weeks: Weeks, _: Running) -> None:
    weeks.signed.person("bob")


def becomes_a_firm(weeks: Weeks, _: Running) -> None:
    weeks.signed.policy("firm")
    weeks.signed.approve(weeks.signed.person("carl").number, "bob")


def revokes_bob(weeks: Weeks, _: Running) -> None:
    """His key is lost; whoever found it signs nothing any more."""
    weeks.signed.person("bob", revoked=True)
    kinds: tuple[Kind, ...] = "limits", "resume"
    for kind in kinds:
        try:
            weeks.signed.sign(kind, b"his own", "bob")
        except SettingsError as error:
            weeks.refused.append(str(error))


def brings_bob_back(weeks: Weeks, _: Running) -> None:
    """With a new key, which two people sign."""
    del weeks.signed.keys["bob"]
    weeks.signed.approve(weeks.signed.person("bob").number, "carl")


def halts(weeks: Weeks, _: Running) -> None:
    halt(weeks.home, "ann", "news", weeks.signed.clock)


def wants_to_resume(weeks: Weeks, _: Running) -> None:
    order = ControlCommand("active", "ann", "over", weeks.desk.now_us)
    weeks.signed.sign("resume", content_of(order))


UPGRADED = 12
DAYS = (
    Day("ann signs alone; the first limits lower risk", limits(0.5), "filled", 2),
    Day("tighter ones hold at once", limits(TIGHT), "denied", 3),
    Day("limits.toml is edited", edits_limits, "denied", 3),
    Day("decisions.json is edited", edits_decisions, "denied", 3),
    Day("looser ones wait a day", limits(0.4), "denied", 3),
    Day("and hold then", nothing, "filled", 4),
    Day("the chain is cut", cuts_the_chain, "filled", 4),
    Day("a strategy is approved", approves_a_strategy, "filled", 4),
    Day("and waits its day", nothing, "filled", 4),
    Day("its file is edited", edits_the_strategy, "filled", 4),
    Day("ann brings in bob, who may sign a day later", brings_in_bob, "filled", 4),
    Day("they are a firm, and bring in carl", becomes_a_firm, "filled", 4),
    Day("in the evening the home is taken over", nothing, "filled", 4),
    Day("ann tightens", limits(TIGHT), "denied", 10),
    Day("ann asks for more", limits(0.6), "denied", 10),
    Day("limits.toml is edited once more", edits_limits, "denied", 10),
    Day("bob signs second, two days late", approves(11, "bob"), "filled", 11),
    Day("bob asks for more", limits(0.7, "bob"), "filled", 11),
    Day("bob loses his key", revokes_bob, "filled", 11),
    Day("ann halts, without a signature", halts, "denied", 11),
    Day("control.json is edited", resumes_by_hand, "denied", 11),
    Day("ann wants to resume", wants_to_resume, "denied", 11),
    Day("carl signs second, a day late", approves(15, "carl"), "filled", 11),
    Day("bob has a new key", brings_bob_back, "filled", 11),
    Day("ann tightens", limits(TIGHT), "denied", 19),
    Day("and nothing happens", nothing, "denied", 19),
)
