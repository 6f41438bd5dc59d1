"""A person at the page for questions, in a headless Chromium over the live page's own process:
signs in with a code, asks, changes the statement, and keeps it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.clickhouse import marts
from core import identity, totp
from core.clock import SystemClock
from tests.support.chromium import DESKTOP, PHONE, REQUIRED, Chromium, NoChromiumError, Tab
from tests.support.live_page import page
from tests.support.servers import NatsServer
from tests.support.warehouse_server import ROOT, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="browser")]
PASSWORD, SECOND = "correct horse", "bob's own horse"
LOW_CONTRAST = (ROOT / "tests" / "support" / "low_contrast.js").read_text()
_TRADES = """
INSERT INTO tickhouse_marts_demo.fct_trade (symbol, is_closed, profit_net)
SELECT ['EURUSD', 'XAUUSD', 'BTCUSD'][number % 3 + 1], true, [12.5, -7.25, 3][number % 3 + 1]
FROM numbers(30)
"""


class World(NamedTuple):
    browser: Chromium
    home: Path
    url: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("asking")
    try:
        browser = Chromium(folder / "profile")
    except NoChromiumError as missing:
        if os.environ.get(REQUIRED):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    home = folder / "home"
    home.mkdir()
    ann = identity.new_user("ann", "analyst", PASSWORD)
    bob = identity.new_user("bob", "compliance", SECOND)
    identity.save(identity.path_in(home), {"ann": ann, "bob": bob})
    totp.secret_of(home, "ann")
    warehouse = migrated(home)
    try:
        marts.make(warehouse.client)
        warehouse.client.command(_TRADES)
        with (
            NatsServer(folder / "bus") as bus,
            page(home, bus.url, warehouse.url) as url,
            browser,
        ):
            yield World(browser, home, url)
    finally:
        warehouse.stop()


def sign_in(tab: Tab, name: str, password: str) -> None:
    """By the keyboard alone: the name has the focus."""
    tab.until("document.activeElement.name === 'name'")
    tab.type(name)
    tab.press("Tab")
    tab.type(password)
    tab.press("Enter")


def ask(tab: Tab, text: str) -> None:
    tab.run("document.querySelector('input[name=question]').select()")
    tab.type(text)
    tab.press("Enter")


def says(tab: Tab, text: str) -> None:
    tab.until(f"document.querySelector('#place').innerText.includes({json.dumps(text)})")


def test_signs_in_with_a_code_asks_changes_and_keeps(world: World, tmp_path: Path) -> None:
    with world.browser.tab(DESKTOP) as tab:
        tab.open(f"{world.url}/ask")
        sign_in(tab, "ann", PASSWORD)
        tab.until("document.activeElement.name === 'code'")
        tab.type("000000")
        tab.press("Enter")
        tab.until("document.querySelector('.told').textContent.includes('code is wrong')")
        step = totp.step_of(SystemClock().now_us())
        tab.run("document.querySelector('input[name=code]').select()")
        tab.type(totp.code(totp.secret_of(world.home, "ann"), step))
        tab.press("Enter")
        tab.until("document.querySelector('#who').textContent === 'ann'")
        tab.problems.clear()  # the console says that nobody was signed in before
        ask(tab, "profit by symbol")
        says(tab, "profit; from trades; by symbol; all that is stored (UTC)")
        says(tab, "Rows of tickhouse_marts_demo.fct_trade. 3 rows")
        assert tab.run("document.querySelectorAll('svg.plot rect').length") == 3
        assert tab.run("document.querySelector('textarea').value").startswith("SELECT symbol")
        tab.picture(Path(os.environ.get("PICTURES", tmp_path)) / "ask.png")
        tab.run("document.querySelector('textarea').select()")
        tab.type("SELECT count() AS trades FROM tickhouse_marts_demo.fct_trade")
        tab.run(
            "[...document.querySelectorAll('button')].find(b => b.textContent === 'Run').click()"
        )
        tab.until("document.querySelector('td')?.textContent === '30'")
        tab.run("document.querySelector('input[name=name]').focus()")
        tab.type("how many")
        tab.press("Enter")
        tab.until("document.querySelector('ul.saved')?.innerText.includes('how many')")
        ask(tab, "should I buy gold?")
        says(tab, "cannot be answered")
        assert tab.run(LOW_CONTRAST) == []
        assert [text for text in tab.problems if "422" not in text] == []


def test_one_sign_in_for_this_page_and_the_others_and_one_sign_out(
    world: World, tmp_path: Path
) -> None:
    with world.browser.tab(PHONE, "dark") as tab:
        tab.open(f"{world.url}/compliance")
        tab.until("document.querySelector('form.door') || !document.querySelector('#out').hidden")
        tab.open(f"{world.url}/ask")
        tab.until("document.querySelector('#place').childElementCount > 0")
        if tab.run("!document.querySelector('#out').hidden"):
            tab.run("document.querySelector('#out').click()")
            tab.until("document.querySelector('form.door')")
        tab.open(f"{world.url}/compliance")
        sign_in(tab, "bob", SECOND)
        tab.until("document.querySelector('#who').textContent === 'bob'")
        tab.open(f"{world.url}/ask")
        tab.until("document.querySelector('#who').textContent === 'bob'")
        says(tab, "how many")
        tab.run("document.querySelector('ul.saved button').click()")
        tab.until("document.querySelector('td')?.textContent === '30'")
        assert tab.run("document.documentElement.scrollWidth <= innerWidth")
        tab.picture(Path(os.environ.get("PICTURES", tmp_path)) / "ask-phone.png")
        assert tab.run(LOW_CONTRAST) == []
        tab.run("document.querySelector('#out').click()")
        tab.until("document.querySelector('form.door')")
        tab.open(f"{world.url}/compliance")
        tab.until("document.querySelector('form.door')")
