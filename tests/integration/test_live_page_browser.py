"""The live page as a person meets it: in a headless Chromium, beside a real bus and warehouse."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.bus.nats.bus import NatsBus
from core import identity
from core.clock import ManualClock, SystemClock
from core.contracts.order import EventKind
from core.sections import BusSettings
from core.settings import load
from core.trading_control import current
from features.catalog import NAMES
from surveillance import standing
from surveillance.evaluator import Evaluator
from tests.support import risk_desk
from tests.support.chromium import DESKTOP, PHONE, REQUIRED, Chromium, NoChromiumError, Tab
from tests.support.live_desk import MARKET, PROCESSES, Desk
from tests.support.live_page import now_msc, page
from tests.support.servers import NatsServer
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="browser")]

NASTY = '<img src=x onerror="document.title=1">'


class World:
    """What runs: bus, warehouse, page and browser; `desk` plays the other processes."""

    def __init__(self, home: Path, nats: NatsServer, warehouse: Warehouse) -> None:
        self.home, self.nats, self.warehouse = home, nats, warehouse
        self.bus = NatsBus(BusSettings(url=nats.url), "test")
        self.desk = Desk(self.bus)
        self.url = ""
        self.browser: Chromium

    def visit(self, tab: Tab) -> None:
        """The page, with the whole picture on it."""
        tab.open(self.url)
        tab.until("document.querySelectorAll('#positions tbody tr').length == 1")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("live")
    home = folder / "home"
    users = {"ann": identity.new_user("ann", "admin", "correct horse")}
    identity.save(identity.path_in(home), users)
    try:
        browser = Chromium(folder / "profile")
    except NoChromiumError as missing:
        if os.environ.get(REQUIRED):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    warehouse = migrated(folder / "warehouse", NAMES)
    with NatsServer(folder / "nats") as nats, browser:
        opened = World(home, nats, warehouse)
        opened.browser = browser
        with page(home, nats.url, warehouse.url) as url:
            opened.url = url
            opened.desk.open()
            yield opened
        opened.bus.close()
    warehouse.stop()


def test_it_shows_what_happens_and_asks_nobody_else(world: World) -> None:
    with world.browser.tab() as tab:
        world.visit(tab)
        tab.until("document.querySelector('#chart .legend').innerText.startsWith('BTCUSD')")
        tab.until(f"{DRAWN} > 1_000")  # candles, marks and lines; a frame after the legend
        assert "62 %" in tab.text("#prediction")
        assert "▲ 62 %" in tab.text("#feeds")
        assert tab.text("#positions").split()[5:9] == ["BTCUSD", "0.10", "63020.00", "62800.00"]
        assert "daily loss" in tab.text("#denials")
        assert "submitted" in tab.text("#orders")
        assert "signal to order" in tab.text("#latency")
        assert all(name in tab.text("#processes") for name in PROCESSES)
        world.desk.predict("BTCUSD", 0.55, 0.2)
        tab.until("document.querySelector('#prediction').innerText.includes('55 %')")
        world.desk.predict("BTCUSD", 0.21, 0.62)
        host = world.url.removeprefix("http://")
        fetched = [address for address in tab.requested if "data:" not in address]
        assert {address.split("/")[2] for address in fetched} == {host}
        assert tab.problems == []


def test_the_room_for_compliance_staff_is_beside_it_and_closed_to_others(world: World) -> None:
    with world.browser.tab() as tab:
        world.visit(tab)
        address = tab.run("document.querySelector('footer a:last-child').href")
        tab.open(address)
        tab.until("document.activeElement.name === 'name'")
        tab.type("ann")
        tab.press("Tab")
        tab.type("correct horse")
        tab.press("Enter")
        tab.until("document.querySelector('.told')?.textContent.includes('of role admin')")
        assert "Calendar" not in tab.text()


def test_the_desk_has_spans_indicators_symbols_and_exposure(world: World) -> None:
    with world.browser.tab() as tab:
        world.visit(tab)
        tab.until("document.querySelector('#chart .legend').innerText.includes('1m, bid')")
        for button, name in ((0, "1s"), (4, "5m"), (8, "1d"), (3, "1m")):
            tab.run(f"document.querySelectorAll('#spans button')[{button}].click()")
            tab.until(f"document.querySelector('#chart .legend').innerText.includes('{name}, bid')")
        tab.press("i")
        tab.until("document.querySelector('#chart .legend').innerText.includes('Bollinger')")
        tab.until("document.querySelector('#markets').innerText.includes('BTCUSD')")
        tab.until("document.querySelector('#exposure').innerText.includes('gross')")
        assert tab.run("document.querySelector('#sound').getAttribute('aria-pressed')") == "false"
        tab.press("s")
        tab.until("document.querySelector('#sound').getAttribute('aria-pressed') == 'true'")
        assert tab.text("#market") == "simulated market, planted edge"
        assert tab.problems == []


@pytest.fixture(scope="module")
def risked(world: World) -> World:
    """With three days of figures of risk in the warehouse."""
    risk_desk.store(world.warehouse.settings)
    return world


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_tab_risk_says_what_can_be_lost(
    risked: World, size: tuple[int, int, bool], scheme: str
) -> None:
    with risked.browser.tab(size, scheme) as tab:
        risked.visit(tab)
        tab.press("v")
        tab.until("document.querySelector('#risk').innerText.includes('monte carlo')")
        text = tab.text("#risk").lower()
        for heading in ("stress", "exposure by currency", "correlation", "regime", "profit by"):
            assert heading in text
        assert "xauusd" in text
        assert "trend" in text
        assert "franc-2015" in text
        tab.until("document.querySelectorAll('#risk svg line').length >= 5")
        assert tab.run("document.querySelectorAll('#risk svg rect').length") > 20
        assert tab.run("document.querySelector('#desk').hidden")
        assert tab.run("document.documentElement.scrollWidth") <= size[0]
        assert pale(tab) == []
        tab.press("v")
        assert not tab.run("document.querySelector('#desk').hidden")
        assert tab.run("document.querySelector('#risk').hidden")
        assert tab.problems == []
        if folder := os.environ.get("LIVE_PICTURES"):
            tab.press("v")
            tab.picture(Path(folder) / f"risk-{size[0]}-{scheme}.png")


def test_a_ribbon_below_the_candles_says_the_regime(risked: World) -> None:
    with risked.browser.tab() as tab:
        risked.visit(tab)
        tab.run("[...document.querySelectorAll('#feeds button')][1].click()")
        tab.until("document.querySelector('#chart .legend').innerText.startsWith('EURUSD')")
        tab.until("document.querySelector('#chart .legend').innerText.includes('▂ wild')")
        if folder := os.environ.get("LIVE_PICTURES"):
            tab.picture(Path(folder) / "ribbon.png")


# Coloured pixels of the chart's canvases.
DRAWN = """[...document.querySelectorAll('#chart canvas')].reduce((sum, c) => {
    if (!c.width || !c.height) return sum;
    const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    for (let i = 0; i < p.length; i += 4)
        if (p[i + 3] > 200 && Math.abs(p[i] - p[i + 1]) > 60) sum++;
    return sum;
}, 0)"""


def test_an_event_reaches_every_panel_it_concerns(world: World) -> None:
    with world.browser.tab() as tab:
        world.visit(tab)
        now = now_msc() * 1000
        world.desk.order(7, EventKind.DENIED, now, reason="order_value", observed=9.0, limit=8.0)
        tab.until("document.querySelector('#denials').innerText.includes('9 > 8')")
        assert "order value" in tab.text("#log")
        world.desk.order(6, EventKind.FILLED, now, price=63_030.0)
        tab.until("document.querySelector('#orders').innerText == 'No open order.'")
        assert "63030.00" in tab.text("#fills")
        world.desk.order(6, EventKind.SUBMITTED, now - 2_000_000)
        tab.until("document.querySelector('#orders').innerText.includes('submitted')")


def test_the_keyboard_alone_halts_and_resumes(world: World) -> None:
    with world.browser.tab() as tab:
        world.visit(tab)
        tab.press("h")
        tab.until("document.activeElement.name == 'by'")
        for text in ("bob", "payrolls"):
            tab.type(text)
            tab.press("Tab")
        tab.press("Enter")
        tab.until("!document.querySelector('#toast').hidden")
        assert "halt is on disk" in tab.text("#toast")
        order = current(world.home)
        assert order is not None
        assert (order.state, order.by, order.reason) == ("halted", "bob", "payrolls")

        world.desk.risk("halted", order.by, order.reason)  # as execution says, having read it
        tab.until("!document.querySelector('#halted').hidden")
        assert "by bob: payrolls" in tab.text("#halted")
        assert tab.run("document.title").startswith("HALTED")

        resume(tab, "wrong")
        tab.until("document.querySelector('#resume-dialog .told').className == 'told bad'")
        assert current(world.home) == order
        tab.press("Escape")
        tab.until("!document.querySelector('dialog[open]')")
        resume(tab, "correct horse")
        tab.until("!document.querySelector('dialog[open]')")
        order = current(world.home)
        assert order is not None
        assert (order.state, order.by) == ("active", "ann")
        world.desk.risk("active", "ann", "over")
        tab.until("document.querySelector('#halted').hidden")


def resume(tab: Tab, password: str) -> None:
    """By the keys alone."""
    tab.press("r")
    tab.until("document.activeElement.name == 'name'")
    tab.run("document.querySelector('#resume-dialog form').reset()")
    for text in ("ann", password, "over"):
        tab.type(text)
        tab.press("Tab")
    tab.press("Tab")
    tab.press("Enter")


def test_an_alert_is_answered_by_whoever_signs_in(world: World) -> None:
    fires = "document.querySelector('#alerts').innerText.includes({!r})"
    with world.browser.tab() as tab, silenced_by_nobody(world.home) as evaluate:
        world.visit(tab)
        assert tab.run("document.querySelector('#alerts-card').hidden")
        evaluate(40)
        tab.until(fires.format("Rules not evaluated: warehouse"))
        tab.press("a")
        answer(tab, "wrong", "on it")
        tab.until("document.querySelector('#answer-dialog .told').className == 'told bad'")
        tab.press("Escape")
        tab.press("a")
        answer(tab, "correct horse", "on it")
        tab.until(fires.format("acknowledged by ann: on it"))
        tab.run("document.querySelector('#alerts button').click()")
        tab.run("document.querySelector('#answer-dialog [value=silence]').click()")
        answer(tab, "correct horse", "moving house")
        tab.until(fires.format("UTC by ann: moving house"))
        assert standing.read_answers(world.home).silences[0].rule == "blind"
        assert pale(tab) == []
        assert [text for text in tab.problems if "(Forbidden)" not in text] == []


@contextmanager
def silenced_by_nobody(home: Path) -> Iterator[Callable[[int], None]]:
    """Rules whose warehouse is away for so many seconds; nothing fires on the page afterwards."""
    clock = ManualClock(SystemClock().now_us() - 60_000_000)
    away = load({"TICKHOUSE_HOME": str(home), "TICKHOUSE_CLICKHOUSE__URL": "http://127.0.0.1:9"})
    evaluator = Evaluator(away, clock, lambda change: None)

    def evaluate(seconds: int) -> None:
        clock.advance(clock.now_us() + seconds * 1_000_000)
        evaluator.turn()

    try:
        yield evaluate
    finally:
        standing.watched_path(home).unlink()
        standing.answers_path(home).unlink()


def answer(tab: Tab, password: str, said: str) -> None:
    """Into the dialog that is open, and Enter."""
    tab.until("document.querySelector('#answer-dialog[open]')")
    for name, text in (("by", "ann"), ("password", password), ("reason", said)):
        tab.run(f"document.querySelector('#answer-dialog [name={name}]').select()")
        tab.type(text)
    tab.press("Enter")


def test_a_silent_feed_is_named_with_since_when_and_recovers(world: World) -> None:
    with world.browser.tab() as tab:
        world.visit(tab)
        world.desk.tick("ETHUSD", 3_000.0, 3_001.0, now_msc() - 45_000)
        tab.until("document.querySelector('#trouble').innerText.includes('sim/ETHUSD is silent')")
        assert "UTC (4" in tab.text("#trouble")
        world.desk.tick("ETHUSD", 3_000.0, 3_001.0)
        tab.until("!document.querySelector('#trouble').innerText.includes('ETHUSD')")


def test_an_outage_is_named_with_since_when_and_recovers(world: World) -> None:
    shown = "document.querySelector('#trouble').innerText.includes('The {} does not answer since')"
    with world.browser.tab() as tab:
        world.visit(tab)
        for name, server in (("bus", world.nats), ("warehouse", world.warehouse)):
            server.kill()
            tab.until(shown.format(name))
            assert "UTC (" in tab.text("#trouble")
            server.start()
            tab.until("!" + shown.format(name))
        world.desk.tick("BTCUSD", 63_111.5, 63_120.5)
        tab.until("document.querySelector('#feeds').innerText.includes('63111.50')")
        tab.until("document.querySelector('#log').innerText.includes('warehouse answers again')")


def test_a_name_from_a_broker_is_text_and_nothing_else(world: World) -> None:
    with world.browser.tab() as tab:
        world.visit(tab)
        world.desk.tick(NASTY, 1.0, 2.0)
        tab.until(f"document.querySelector('#feeds').innerText.includes({NASTY!r})")
        tab.press("]")
        assert tab.run("document.querySelectorAll('img').length") == 0
        assert tab.run("document.title") != "1"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_fits_and_can_be_read(world: World, size: tuple[int, int, bool], scheme: str) -> None:
    with world.browser.tab(size, scheme) as tab:
        world.visit(tab)
        assert tab.run("document.documentElement.scrollWidth") <= size[0]
        assert tab.run("getComputedStyle(document.documentElement).colorScheme") == "light dark"
        assert pale(tab) == []
        hide = "document.querySelector('footer').style.color = '{}'"
        tab.run(hide.format("#aaa" if scheme == "light" else "#444"))
        assert pale(tab), "the measure measures"
        tab.run(hide.format(""))
        low = tab.run(
            "[...document.querySelectorAll('.actions button')].filter(b => b.offsetParent)"
            ".map(b => b.getBoundingClientRect().height)"
        )
        assert min(low) >= 24, "a finger hits it"


def pale(tab: Tab) -> list[str]:
    """Texts whose contrast with what is behind them is below 4.5 to 1."""
    return list(
        tab.run("""(() => {
            const canvas = document.createElement('canvas');
            const probe = canvas.getContext('2d', {willReadFrequently: true});
            const rgb = (colour) => {
                probe.clearRect(0, 0, 1, 1); probe.fillStyle = colour; probe.fillRect(0, 0, 1, 1);
                return [...probe.getImageData(0, 0, 1, 1).data];
            };
            const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, share, i) => {
                const v = c[i] / 255;
                return sum + share * (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            }, 0);
            const behind = (e) => {
                for (; e; e = e.parentElement) {
                    const c = rgb(getComputedStyle(e).backgroundColor);
                    if (c[3] == 255) return c;
                }
                return [255, 255, 255, 255];
            };
            const found = [];
            for (const e of document.querySelectorAll('body *')) {
                const own = [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim());
                if (!own || !e.offsetParent || e.closest('kbd, #chart canvas')) continue;
                const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
                const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                if (ratio < 4.5) found.push(`${e.innerText.slice(0, 30)}: ${ratio.toFixed(2)}`);
            }
            return found;
        })()""")
    )


def test_the_theme_is_turned_by_a_key_and_kept(world: World) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    with world.browser.tab() as tab:
        world.visit(tab)
        light = tab.run(background)
        tab.press("t")
        dark = tab.run(background)
        assert dark != light
        world.visit(tab)
        assert tab.run(background) == dark
        tab.run("localStorage.removeItem('theme')")


def test_a_symbol_is_chosen_by_its_number(world: World) -> None:
    with world.browser.tab() as tab:
        world.visit(tab)
        tab.press("2")
        chosen = "document.querySelector('#feeds [aria-selected=true] .symbol').innerText"
        feeds = tab.run("[...document.querySelectorAll('#feeds .symbol')].map(e => e.innerText)")
        assert tab.run(chosen) == feeds[1]
        assert {name for name, *_ in MARKET} <= set(feeds)
        tab.press("1")


@pytest.mark.parametrize(
    ("strategy", "says"),
    [
        ("model", "No prediction yet."),
        ("scripted", "the strategy scripted decides without a model"),
    ],
)
def test_without_a_prediction_it_says_why(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strategy: str, says: str
) -> None:
    """Beside the mark of the simulated market, whose model a rule has no use for."""
    monkeypatch.setenv("TICKHOUSE_RUN__STRATEGY", strategy)
    with NatsServer(tmp_path / "nats") as nats:
        bus = NatsBus(BusSettings(url=nats.url), "test")
        Desk(bus).history(*MARKET[0])
        with (
            page(tmp_path / "home", nats.url, world.warehouse.url) as url,
            world.browser.tab() as tab,
        ):
            tab.open(url)
            tab.until(f"document.querySelector('#prediction').innerText.includes('{says}')")
            assert "planted edge" in tab.text("#market")
        bus.close()
