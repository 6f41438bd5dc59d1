"""The page for compliance staff as a person meets it: in a headless Chromium, over a warehouse."""

import asyncio
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from core.audit_log import path_in, read
from core.clock import ManualClock
from core.settings import Settings
from tests.support import compliance_room as room
from tests.support.chromium import DESKTOP, PHONE, REQUIRED, Chromium, NoChromiumError, Tab
from tests.support.compliance_desk import NOW_US, furnish
from tests.support.compliance_room import PASSWORD
from tests.support.warehouse_server import ROOT, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="browser")]
REPORT = "#/report/rts22/2026-03-02/live"
LOW_CONTRAST = (ROOT / "tests" / "support" / "low_contrast.js").read_text()


class World:
    """The page of a furnished home, and a browser."""

    def __init__(self, browser: Chromium, settings: Settings, url: str) -> None:
        self.browser, self.settings, self.url = browser, settings, url

    @contextmanager
    def visit(
        self, name: str = "ann", size: tuple[int, int, bool] = DESKTOP, scheme: str = "light"
    ) -> Iterator[Tab]:
        """A tab in which somebody is signed in."""
        with self.browser.tab(size, scheme) as tab:
            tab.open(f"{self.url}/compliance")
            tab.until(
                "document.querySelector('form.door') || !document.querySelector('#out').hidden"
            )
            if tab.run("!document.querySelector('#out').hidden"):
                tab.run("document.querySelector('#out').click()")
            tab.until("document.querySelector('form.door')")
            sign_in(tab, name)
            tab.until(f"document.querySelector('#who').textContent === '{name}'")
            tab.until("!document.querySelector('form.door')")
            tab.problems.clear()  # before it nobody was signed in, which the console says
            yield tab

    def lines(self, *actions: str) -> list[tuple[str, str]]:
        events = read(path_in(self.settings.home_path))
        return [(line.actor, line.action) for line in events if line.action in actions]


def sign_in(tab: Tab, name: str) -> None:
    """By the keyboard alone: the name has the focus."""
    tab.until("document.activeElement.name === 'name'")
    tab.type(name)
    tab.press("Tab")
    tab.type(PASSWORD)
    tab.press("Enter")


def go(tab: Tab, address: str, until: str) -> None:
    tab.run(f"location.hash = {json.dumps(address)}")
    until_text(tab, until)


def until_text(tab: Tab, text: str) -> None:
    tab.until(f"document.querySelector('#place').innerText.includes({json.dumps(text)})")


def press(tab: Tab, text: str) -> None:
    """A button by what it says."""
    buttons = "[...document.querySelectorAll('#place button')]"
    tab.until(f"{buttons}.some((one) => one.textContent === {json.dumps(text)})")
    tab.run(f"{buttons}.find((one) => one.textContent === {json.dumps(text)}).click()")
    tab.until("document.querySelector('#act-dialog').open")


def submit(tab: Tab, times: int = 1) -> None:
    """What the dialog's button does, as often as an impatient person clicks."""
    click = "document.querySelector('#act-dialog button[type=submit]').click();"
    tab.run(click * times)
    tab.until("!document.querySelector('#act-dialog').open")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("room")
    home = folder / "home"
    home.mkdir()
    try:
        browser = Chromium(folder / "profile")
    except NoChromiumError as missing:
        if os.environ.get(REQUIRED):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    warehouse = migrated(folder)
    try:
        settings = furnish(warehouse, home)
        with served(settings) as url, browser:
            yield World(browser, settings, url)
    finally:
        warehouse.stop()


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The page's application on a free port."""
    application = room.application(settings, ManualClock(NOW_US))
    config = uvicorn.Config(application, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        serving = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        serving.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        serving.join()


def test_nobody_else_comes_in_and_is_told_why(world: World) -> None:
    with world.browser.tab() as tab:
        tab.open(f"{world.url}/compliance")
        sign_in(tab, "joe")
        tab.until("document.querySelector('.told').textContent.includes('role analyst')")
        assert tab.run("document.querySelector('#views').hidden")
        assert all(url.startswith(world.url) for url in tab.requested if url.startswith("http"))


def test_one_signs_another_releases_a_break_is_resolved(world: World) -> None:
    with world.visit("ann") as tab:
        go(tab, REPORT, "Versions side by side")
        assert "2 rows" in tab.text() or "1 rows" in tab.text()
        press(tab, "Resolve")
        tab.type("<b>renewed</b>")
        submit(tab, times=3)
        until_text(tab, "ann: <b>renewed</b>")
        press(tab, "Sign as maker")
        submit(tab, times=3)
        until_text(tab, "another person")
    with world.visit("bob") as tab:
        go(tab, REPORT, "Release as checker")
        press(tab, "Release as checker")
        tab.type("read")
        submit(tab)
        press(tab, "It was filed")
        tab.type("AUTH-1")
        tab.press("Enter")
        until_text(tab, "AUTH-1")
        assert not tab.problems
        assert tab.run("document.title") == "Tickhouse compliance", "what a feed says is text"
    steps = ("break resolved", "report signed", "report released", "report filed")
    assert [action for _, action in world.lines(*steps)] == list(steps), "each once"


def test_a_case_is_worked_on_and_its_orders_lead_to_their_lineage(world: World) -> None:
    with world.visit("ann") as tab:
        go(tab, "#/cases", "classification by")
        tab.run("document.querySelector('#place a[href*=\"/case/abuse/\"]').click()")
        press(tab, "Make it mine")
        submit(tab, times=2)
        press(tab, "Note")
        tab.type("<script>document.title = 1</script>")
        submit(tab)
        tab.until("document.querySelector('.notes')?.innerText.includes('<script>')")
        press(tab, "Close")
        tab.press("Tab")
        tab.type("a hedge")
        submit(tab)
        until_text(tab, "closed: false positive")
        tab.run("document.querySelector('#place ul a').click()")
        until_text(tab, "an event a column")
        assert "tickhouse explain" in tab.text()
        assert tab.run("document.title") == "Tickhouse compliance"
        assert not tab.problems


def test_an_incident_is_classified_by_a_form(world: World) -> None:
    with world.visit("bob") as tab:
        go(tab, "#/cases", "classification by")
        tab.run("document.querySelector('#place a[href*=\"/case/incident/\"]').click()")
        press(tab, "Classify")
        for name, value in (("downtime_h", "3"), ("costs_eur", "200000")):
            tab.run(f"document.querySelector('[name=\"impact.{name}\"]').value = {value}")
        tab.run("document.querySelector('[name=\"impact.critical_service\"]').checked = true")
        tab.run("document.querySelector('[name=reason]').value = 'known'")
        submit(tab)
        tab.until(
            "document.querySelector('#place').innerText.includes('The initial report went out')"
        )
        assert not tab.problems


def test_the_keyboard_reaches_everything(world: World) -> None:
    with world.visit() as tab:
        for key, text in (
            ("2", "cases"),
            ("3", "Decisions"),
            ("4", "Audit trail"),
            ("1", "Calendar"),
        ):
            tab.press(key)
            tab.until(f"document.querySelector('#place').innerText.includes('{text}')")
        tab.press("/")
        tab.until("document.querySelector('form[role=search]')")
        tab.run("document.querySelector('[name=symbol]').focus()")
        tab.type("XAUUSD")
        tab.press("Enter")
        tab.until("document.querySelectorAll('#place tbody tr').length > 10")
        tab.run("document.querySelector('.skip').focus()")
        reached = set()
        for _ in range(24):  # a date has several stops
            tab.press("Tab")
            reached.add(tab.run("document.activeElement.textContent.trim().slice(0, 20)"))
            outline = tab.run("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", tab.run("document.activeElement.outerHTML.slice(0, 200)")
        assert {"Reports", "Cases", "Decisions", "Audit", "Sign out", "Search"} <= reached
        go(tab, REPORT, "Versions side by side")
        press(tab, "Reopen" if "Reopen" in tab.text() else "Assign")
        assert tab.run("document.querySelector('#act-dialog').contains(document.activeElement)")
        tab.press("Escape")
        tab.until("!document.querySelector('#act-dialog').open")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_is_read_on_every_screen(
    world: World, size: tuple[int, int, bool], scheme: str, tmp_path: Path
) -> None:
    """Nothing is wider than the screen but what scrolls by itself; every text has contrast."""
    pages = {
        "#/reports": "Calendar", REPORT: "Versions side by side", "#/cases?closed=yes": "Late ones",
        "#/decisions?day=2026-03-02": "newest first", "#/audit": "Sealed up to",
    }  # fmt: skip
    with world.visit("ann", size, scheme) as tab:
        for number, (address, text) in enumerate(pages.items()):
            go(tab, address, text)
            folder = Path(os.environ.get("PICTURES", tmp_path))
            tab.picture(folder / f"room-{size[0]}-{scheme}-{number}.png")
            assert tab.run("document.documentElement.scrollWidth") <= size[0], address
            assert tab.run(LOW_CONTRAST) == [], address
