"""Pictures of the real thing for the site: `make pictures`, or `python -m docs.pictures NAME ...`.

A demo, a backtest and a stack at market speed are run in a home of their own, and what a person
would see is photographed by a headless Chromium. Ten minutes; Chromium, npm (for the diagrams) and
the dev environment are needed. Nothing is retouched but the size of the file.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pypdfium2
from PIL import Image
from rich.console import Console
from rich.text import Text

from cli.stack.running import running
from core.errors import TickhouseError
from docs import conversation, drawn, structure
from docs.site.hooks import PICTURES
from tests.support import telegram_server
from tests.support.chromium import Chromium, Tab

ROOT = Path(__file__).resolve().parents[1]
DESKTOP = (1440, 1000, False)
FILLS = 16  # enough for a chart that shows what trading looks like
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_TALL = "font-size: 21px"  # as tall as the lines, so that the table's rules meet
_QUALITY = 82


class Studio(NamedTuple):
    """Where pictures are taken: a browser, a home after the demo, scratch space."""

    browser: Chromium
    home: Path
    scratch: Path


def main(names: Sequence[str]) -> int:
    """Take the pictures named, or all."""
    unknown = set(names) - TAKEN.keys()
    if unknown:
        print(f"no picture {', '.join(sorted(unknown))}; there are {', '.join(TAKEN)}")
        return 2
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Chromium(Path(folder) / "profile") as browser:
        studio = Studio(browser, Path(folder) / "home", Path(folder))
        for name in names or TAKEN:
            TAKEN[name](studio)
            print(f"took {name}", flush=True)
    size = sum(path.stat().st_size for path in PICTURES.iterdir())
    print(f"{size / 1e6:.2f} MB in {PICTURES.relative_to(ROOT)}")
    return 0


def terminal(studio: Studio) -> None:
    """What `make demo` prints, colours and all, as SVG without a font from elsewhere."""
    plain = {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "0", "COLUMNS": "84"}
    printed = _tickhouse(studio, "demo", **plain)
    shown = "Replay" + printed.partition("Replay")[2].partition("Latency")[0].rstrip()
    console = Console(record=True, width=84, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115
    console.print(Text.from_ansi("$ make demo\n" + shown))
    svg = _FONT.sub("", console.export_svg(title="Tickhouse"))
    svg = svg.replace("Fira Code", "ui-monospace").replace("font-size: 20px", _TALL)
    (PICTURES / "terminal.svg").write_text(svg)


def backtest(studio: Studio) -> None:
    """The report of an example's backtest."""
    _demo(studio)
    _tickhouse(
        studio, "backtest", str(studio.home / "demo"),
        *("--strategy", "examples/strategies/follow.py", "--out", str(studio.scratch / "backtest")),
    )  # fmt: skip
    with studio.browser.tab(DESKTOP) as tab:
        tab.open((studio.scratch / "backtest" / "report.html").as_uri())
        _keep(_shot(tab), "backtest")


def stack(studio: Studio) -> None:
    """The live page after some fills, a report of the day, and Dagster's lineage: of one stack."""
    _demo(studio)
    with _up(studio) as urls:
        _until(lambda: _fills(urls["warehouse"]) >= FILLS, 900)
        with studio.browser.tab(DESKTOP, "dark") as tab:
            tab.open(urls["live page"])
            tab.until("document.querySelectorAll('#fills tbody tr').length > 3")
            _keep(_shot(tab), "live")
        with studio.browser.tab((1600, 1000, False)) as tab:
            tab.open(f"{urls['dagster']}/asset-groups")
            tab.until("document.body.innerText.includes('marts_compliance')", 120)
            _settled(tab)
            _keep(_shot(tab), "lineage")
        _report(studio)


def _report(studio: Studio) -> None:
    """The first page of a PDF on the quality of execution, of the demo's second day."""
    _tickhouse(studio, "report", "execution-quality", "--date", "2026-03-03", "--mode", "replay")
    (pdf,) = (studio.home / "reports").rglob("*.pdf")
    _keep(pypdfium2.PdfDocument(pdf)[0].render(scale=1.6).to_pil(), "report")


def telegram(studio: Studio) -> None:
    """A conversation with the bot of a stack that trades, on a phone, at a server of ours."""
    token = studio.scratch / "token"
    token.write_text(telegram_server.TOKEN)
    with telegram_server.TelegramServer() as server:
        settings = {
            "TICKHOUSE_BOT__TOKEN_FILE": str(token), "TICKHOUSE_BOT__SERVER": server.url,
            "TICKHOUSE_BOT__CHATS": "100", "TICKHOUSE_BOT__PEOPLE": "1=ann:risk",
            "TICKHOUSE_BOT__TELLS": "alerts,trading", "TICKHOUSE_ORCHESTRATION__ENABLED": "off",
        }  # fmt: skip
        with _up(studio, "--bot", **settings) as urls:
            _until(lambda: _fills(urls["warehouse"]) >= FILLS, 900)
            conversation.hold(server)
        page = studio.scratch / "telegram.html"
        page.write_text(conversation.page(server), "utf-8")
    with studio.browser.tab(conversation.SIZE) as tab:
        tab.open(page.as_uri())
        _keep(_shot(tab), "telegram")


def diagrams(studio: Studio) -> None:
    """Mermaid diagrams of the pages."""
    drawn.draw(studio.browser, studio.scratch)


def drawing(studio: Studio) -> None:
    """The structure, before and now."""
    structure.main()


TAKEN: dict[str, Callable[[Studio], None]] = {
    "diagrams": diagrams,
    "structure": drawing,
    "terminal": terminal,
    "backtest": backtest,
    "stack": stack,
    "telegram": telegram,
}


def _demo(studio: Studio) -> None:
    if not (studio.home / "demo").exists():
        _tickhouse(studio, "demo")


def _tickhouse(studio: Studio, *words: str, **environ: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *words],
        cwd=ROOT, env=_environment(studio) | environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise TickhouseError(f"tickhouse {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _environment(studio: Studio) -> dict[str, str]:
    return os.environ | {"TICKHOUSE_HOME": str(studio.home)}


@contextmanager
def _up(studio: Studio, *words: str, **settings: str) -> Iterator[dict[str, str]]:
    """A stack that trades by the rule that trades most; drained at the end."""
    often = {"TICKHOUSE_SIGNALS__SCRIPTED_HORIZON_S": "45"}
    child = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "up", "--strategy", "scripted", *words],
        cwd=ROOT, env=_environment(studio) | often | settings, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _until(lambda: bool(_urls(studio.home)), 120)
        urls = _urls(studio.home)
        pages = [urls[name] for name in ("live page", "dagster") if name in urls]
        _until(lambda: all(map(_answers, pages)), 180)
        yield urls
    finally:
        child.send_signal(signal.SIGINT)
        child.wait()


def _urls(home: Path) -> dict[str, str]:
    stack = running(home)
    return {} if stack is None else {name.lower(): url for name, url in stack.urls.items()}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status) == 200
    except OSError:
        return False


def _fills(url: str) -> int:
    question = (
        b"SELECT count() FROM tickhouse.order_event WHERE kind = 'filled' AND run_id = 'live'"
    )
    try:
        with urllib.request.urlopen(url, data=question, timeout=10) as answer:
            return int(json.load(answer))
    except OSError:
        return 0


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TickhouseError("what the picture is of did not come; look into the home's logs")
        time.sleep(0.5)


def _settled(tab: Tab) -> None:
    """Wait until the page draws the same twice."""
    before = b""
    while (now := _shot(tab).tobytes()) != before:
        before = now
        time.sleep(2)


def _shot(tab: Tab) -> Image.Image:
    """What is on the screen now."""
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        tab.picture(Path(file.name), whole=False)
        return Image.open(BytesIO(Path(file.name).read_bytes())).convert("RGB")


def _keep(image: Image.Image, name: str) -> None:
    image.save(PICTURES / f"{name}.webp", quality=_QUALITY, method=6)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
