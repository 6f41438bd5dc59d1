"""The site's pages, pictures and diagrams are all there; the heavy suite `docs` builds it."""

import re
from pathlib import Path

import yaml

from docs.drawn import diagrams
from docs.site.hooks import PICTURES, expanded, picture_of

ROOT = Path(__file__).parents[2]
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
_MOST_BYTES = 1_500_000


def pages() -> list[Path]:
    return sorted((ROOT / "docs").rglob("*.md"))


def test_the_navigation_names_every_page_once():
    nav = expanded(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    named = re.findall(r"'([\w./-]+\.md)'", str(nav))
    assert sorted(named) == [str(page.relative_to(ROOT / "docs")) for page in pages()]


def test_every_diagram_is_drawn_as_it_stands_in_its_page():
    missing = [text for text in diagrams() if not (PICTURES / picture_of(text)).exists()]
    assert missing == [], "run: make pictures NAMES=diagrams"


def test_pictures_are_described_used_and_small():
    used = set()
    for page in [ROOT / "README.md", *pages()]:
        for words, target in _PICTURE.findall(page.read_text()):
            assert len(words) > 10, f"{page.name}: {target} has no words for who cannot see it"
            used.add((page.parent / target).resolve())
    drawn = {PICTURES / picture_of(text) for text in diagrams()}
    assert set(PICTURES.iterdir()) == used | drawn
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < _MOST_BYTES


def test_no_picture_asks_for_anything_elsewhere():
    named = re.compile(r"(?:href|src)=[\"']https?:|url\(\s*[\"']?https?:|@import")
    assert [path.name for path in PICTURES.glob("*.svg") if named.search(path.read_text())] == []


def test_the_tutorial_shows_the_strategy_that_the_examples_hold():
    strategy = (ROOT / "examples" / "strategies" / "fade.py").read_text()
    assert strategy in (ROOT / "docs" / "tutorial.md").read_text()
