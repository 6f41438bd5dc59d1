"""`/runbooks`: what to do when an alert fires, where the alert's link leads.

The same page as in the documentation, from the same file, so that it is there when the network
and everything else is down. Headings are its anchors.
"""

import re
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt
from starlette.requests import Request
from starlette.responses import HTMLResponse

from core.shipped import shipped

_FILE = shipped("docs/how-to/runbooks.md")
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Runbooks</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;
color:#1d2321;background:#fbfaf7}}code{{background:#ecebe5;padding:.1em .3em;border-radius:3px}}
h2{{margin-top:2.5rem;border-top:1px solid #d8d6cd;padding-top:1rem}}:target{{background:#fff1c9}}
@media(prefers-color-scheme:dark){{body{{color:#dfe3e0;background:#161b19}}code{{background:#262d2a}}
h2{{border-color:#333b37}}:target{{background:#4a3f14}}}}</style><body>{body}</body></html>"""


async def answer(_: Request) -> HTMLResponse:
    """The page."""
    return HTMLResponse(_PAGE.format(body=rendered(_FILE.read_text())))


@cache
def rendered(text: str) -> str:
    """Markdown as HTML; nothing in it is taken for HTML of its own."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    for opened, content in pairwise(tokens):
        if opened.type == "heading_open":
            opened.attrSet("id", anchor(content.content))
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def anchor(heading: str) -> str:
    """As the documentation's site names a heading."""
    return re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-"))
