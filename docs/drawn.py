"""Mermaid diagrams of the pages as SVG, drawn by a headless Chromium: the site draws none itself.

Mermaid comes from npm at the moment of drawing and is not kept: only its drawings are committed.
"""

import re
import subprocess
import tarfile
from pathlib import Path

from docs.site.hooks import DIAGRAM, PICTURES, picture_of
from tests.support.chromium import Chromium

DOCS = Path(__file__).parent
MERMAID = "mermaid@11.12.0"
_PAGE = """<!doctype html><meta charset=utf-8><body><script src="mermaid.min.js"></script>"""
_DRAW = """(async () => {
    mermaid.initialize({startOnLoad: false, theme: 'neutral', htmlLabels: false,
                        flowchart: {htmlLabels: false, wrappingWidth: 300},
                        fontFamily: 'system-ui, sans-serif'});
    document.body.insertAdjacentHTML('beforeend', (await mermaid.render('d', %r)).svg);
    return new XMLSerializer().serializeToString(document.body.lastElementChild);
})()"""


def draw(browser: Chromium, scratch: Path) -> list[Path]:
    """Draw every diagram of docs/ that has no picture, and forget those of none."""
    wanted = {picture_of(text): text for text in diagrams()}
    for left in set(PICTURES.glob("diagram-*.svg")) - {PICTURES / name for name in wanted}:
        left.unlink()
    missing = {name: text for name, text in wanted.items() if not (PICTURES / name).exists()}
    if missing:
        page = _page(scratch)
        with browser.tab() as tab:
            tab.open(page.as_uri())
            for name, text in missing.items():
                (PICTURES / name).write_text(_plain(str(tab.run(_DRAW % text))))
    return [PICTURES / name for name in sorted(missing)]


def diagrams() -> list[str]:
    """The text of each diagram."""
    return [
        text for page in sorted(DOCS.rglob("*.md")) for text in DIAGRAM.findall(page.read_text())
    ]


def _page(scratch: Path) -> Path:
    """A page with Mermaid beside it."""
    pack = ["npm", "pack", "--silent", MERMAID]
    name = subprocess.run(pack, cwd=scratch, check=True, capture_output=True, text=True).stdout
    with tarfile.open(scratch / name.split()[-1]) as packed:
        script = packed.extractfile("package/dist/mermaid.min.js")
        assert script is not None
        (scratch / "mermaid.min.js").write_bytes(script.read())
    page = scratch / "diagrams.html"
    page.write_text(_PAGE)
    return page


def _plain(svg: str) -> str:
    """On a ground of its own, for a dark page too."""
    return re.sub(r"background-color: ?\w+;?", "background-color: white;", svg, count=1) + "\n"
