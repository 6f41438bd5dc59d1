"""The live page in a headless Chromium: first paint, and from an event on the bus to its pixel.

Part of `bench_live_page --browser`. The clock of the page and ours are the machine's wall clock.
An event counts as a pixel when the frame that shows it was handed over: the first task after the
frame in which the text changed.
"""

import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.bus.base import Bus
from tests.support.chromium import Chromium, Tab
from tests.support.live_desk import Desk

FIRST_PAINT_S, PIXEL_MS = 1.0, 100.0
_SYMBOL, _BASE = "USDJPY", 100.0
_WATCH = """
(() => {
    window.seen = [];
    const channel = new MessageChannel();
    const now = () => performance.timeOrigin + performance.now();
    channel.port1.onmessage = (m) => seen.push([m.data, now()]);
    const tabs = [...document.querySelectorAll('#feeds button')];
    const tab = tabs.find(b => b.innerText.includes('%s'));
    new MutationObserver(() => channel.port2.postMessage(tab.children[1].textContent))
        .observe(tab.children[1], {childList: true, characterData: true, subtree: true});
})()
"""
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


def measure(
    bus: Bus, url: str, ticks: int, rate: float, loads: int = 7
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """First contentful paints in seconds, and milliseconds from publish to pixel."""
    desk = Desk(bus)
    desk.open()
    desk.tick(_SYMBOL, _BASE, _BASE + 0.01)
    with tempfile.TemporaryDirectory() as folder, Chromium(Path(folder) / "profile") as browser:
        with browser.tab() as tab:
            paints = [_first_paint(tab, url) for _ in range(loads)]
        with browser.tab() as tab:
            return np.array(paints), _pixels(desk, tab, url, ticks, rate)


def _first_paint(tab: Tab, url: str) -> float:
    tab.call("Network.setCacheDisabled", cacheDisabled=True)
    tab.open(url)
    tab.until(f"{_PAINT} > 0")
    return float(tab.run(_PAINT)) / 1000


def _pixels(desk: Desk, tab: Tab, url: str, ticks: int, rate: float) -> npt.NDArray[np.float64]:
    tab.open(url)
    tab.until(f"document.querySelector('#feeds').innerText.includes('{_SYMBOL}')")
    tab.run(_WATCH % _SYMBOL)
    time.sleep(1.0)
    sent: dict[str, float] = {}
    telling = threading.Thread(target=_tell, args=(desk, sent, ticks, rate))
    telling.start()
    telling.join()
    time.sleep(1.0)
    first = dict(reversed(tab.run("seen")))  # a text is set again with each second's clock
    # What came within one frame is shown once, by its newest.
    return np.array([at - sent[text] for text, at in first.items() if text in sent])


def _tell(desk: Desk, sent: dict[str, float], ticks: int, rate: float) -> None:
    due = time.perf_counter()
    for number in range(1, ticks + 1):
        due += 1.0 / rate
        time.sleep(max(due - time.perf_counter(), 0.0))
        bid = round(_BASE + number / 1000, 3)
        sent[f"{bid:.3f}"] = time.time() * 1000
        desk.tick(_SYMBOL, bid, bid + 0.01)
