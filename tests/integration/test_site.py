"""The documentation as a site: built strictly and offline, and asking for nothing elsewhere."""

import functools
import http.server
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chromium import REQUIRED, Chromium, NoChromiumError

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="docs")]
_LOADED = re.compile(
    r"<(?:script|img|iframe|source)[^>]*\ssrc=\"(?:https?:)?//|<link[^>]*href=\"(?:https?:)?//"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; what builds it is installed first, into an environment of its own."""
    subprocess.run(["make", ".venv/docs.stamp"], cwd=ROOT, check=True)
    folder = tmp_path_factory.mktemp("site")
    # No proxy and no resolver helps: whoever asked the network during the build would fail.
    environ = os.environ | {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    done = subprocess.run(
        [ROOT / ".venv/docs/bin/mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_every_page_is_built_and_loads_nothing_from_elsewhere(site):
    built = {page.relative_to(site) for page in site.rglob("*.html")}
    assert {Path("index.html"), Path("tutorial.html"), Path("reference/python.html")} <= built
    assert [str(page) for page in built if _LOADED.search((site / page).read_text())] == []
    assert [str(page) for page in built if "```mermaid" in (site / page).read_text()] == []


def test_the_python_page_says_what_the_docstrings_say(site):
    page = (site / "reference" / "python.html").read_text()
    for words in ("connect", "first opening time", "trades", "float64", "InputError"):
        assert words in page


def test_a_browser_asks_for_nothing_but_the_site(address, tmp_path):
    try:
        browser = Chromium(tmp_path / "profile")
    except NoChromiumError as missing:
        if os.environ.get(REQUIRED):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    with browser, browser.tab() as tab:
        for page in ("index", "tutorial", "architecture", "reference/python"):
            tab.open(f"{address}/{page}.html")
            tab.until("Array.from(document.images).every(i => i.complete && i.naturalWidth > 0)")
        assert [url for url in tab.requested if not url.startswith((address, "data:"))] == []
        assert tab.problems == []
