"""What the site does to a page: diagrams become pictures, files of the checkout are named.

Diagrams are Mermaid in the pages, which code hosts draw. The site loads nothing from elsewhere, so
it shows them as `make pictures` drew them; a diagram that changed since fails the strict build.
"""

import hashlib
import logging
import re
from pathlib import Path, PurePosixPath
from typing import Any

DOCS = Path(__file__).resolve().parents[1]
PICTURES = DOCS / "pictures"
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_PAGE = re.compile(r"'([\w./-]+\.md)'")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?:\.\./)+[^)#]+)(#[^)]*)?\)")
_log = logging.getLogger("mkdocs.hooks.tickhouse")


def on_config(config: Any) -> None:
    """`folder/*` in the navigation is every page of a folder that it does not name elsewhere."""
    config["nav"] = expanded(config["nav"])


def expanded(nav: Any) -> Any:
    """A navigation with folders written out, a README first."""
    return _expanded(nav, set(_PAGE.findall(str(nav))))


def _expanded(nav: Any, named: set[str]) -> Any:
    if isinstance(nav, dict):
        return {title: _expanded(inner, named) for title, inner in nav.items()}
    if isinstance(nav, list):
        return [page for entry in nav for page in _entries(entry, named)]
    return nav


def _entries(entry: Any, named: set[str]) -> list[Any]:
    if not (isinstance(entry, str) and entry.endswith("/*")):
        return [_expanded(entry, named)]
    unnamed = {str(page.relative_to(DOCS)) for page in (DOCS / entry[:-2]).glob("*.md")} - named
    return sorted(unnamed, key=lambda page: (not page.endswith("README.md"), page))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """A page's text as the site reads it."""
    place = PurePosixPath(page.file.src_uri)
    up = "../" * (len(place.parts) - 1)
    drawn = DIAGRAM.sub(lambda match: _picture(match[1], up, place), markdown)
    return _LINK.sub(lambda match: _link(match, place), drawn)


def picture_of(diagram: str) -> str:
    """Name of the file that shows a diagram: its content decides."""
    return f"diagram-{hashlib.sha256(diagram.encode()).hexdigest()[:12]}.svg"


def _picture(diagram: str, up: str, place: PurePosixPath) -> str:
    name = picture_of(diagram)
    if not (PICTURES / name).exists():
        _log.warning("%s: its diagram is not drawn yet: make pictures", place)
    return f"![Diagram]({up}pictures/{name}){{ .diagram }}\n"


def _link(match: "re.Match[str]", place: PurePosixPath) -> str:
    """A link out of docs/ is not on the site: the file is named instead."""
    text, target = match[1], match[2]
    if target.count("../") < len(place.parts):
        return match[0]
    file = target.replace("../", "")
    named = f"`{file}`"
    return named if text.strip("`") == file else f"{text} ({named})"
