"""PDF by Typst: one template for all reports, filled with plain data.

Compiled in memory and written in one piece, without times or machine names: equal data give equal
bytes, so a changed file means changed data.
"""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import msgspec

_LONG = 34  # characters from which a column may take what is left
_NUMBER = frozenset("0123456789.,-+ %")


class Section(msgspec.Struct, frozen=True):
    """A titled table, picture or text. `image` is SVG."""

    title: str
    text: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    empty: str = ""  # said in place of a table without rows
    note: str = ""
    image: str = ""
    size: float = 8.5  # points of the table's text


class Page(msgspec.Struct, frozen=True):
    """The content of one PDF."""

    title: str
    subtitle: str
    firm: str
    day: str
    version: str
    layout: str
    mark: str  # first digits of the data's SHA-256, in the footer of every page
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    signoff: tuple[str, ...] = ()
    wide: bool = False


def render(page: Page) -> bytes:
    """The PDF."""
    import typst  # Dagster's code server, which loads this module, has children render

    content = msgspec.to_builtins(page)
    for section in content["sections"]:
        section["align"] = _alignment(section["rows"], len(section["columns"]))
        section["widths"] = _widths(section["rows"], section["columns"], section["align"])
    with resources.as_file(_template()) as path:
        pdf = typst.compile(
            Path(path), sys_inputs={"data": msgspec.json.encode(content).decode()}, format="pdf"
        )
    return bytes(pdf)


@cache
def _template() -> resources.abc.Traversable:
    return resources.files("reports") / "templates" / "pdf" / "report.typ"


def _alignment(rows: Sequence[Sequence[str]], columns: int) -> list[str]:
    """Columns of figures to the right."""
    return [
        "right" if rows and all(set(str(row[n])) <= _NUMBER for row in rows) else "left"
        for n in range(columns)
    ]


def _widths(
    rows: Sequence[Sequence[str]], columns: Sequence[str], align: Sequence[str]
) -> list[str]:
    """The widest column of words takes what is left."""
    if not rows:
        return ["auto"] * len(columns)
    widths = [
        max(len(str(row[n])) for row in rows) if align[n] == "left" else 0
        for n in range(len(columns))
    ]
    if max(widths) < _LONG:
        return ["auto"] * len(columns)
    widest = widths.index(max(widths))
    return ["fill" if n == widest else "auto" for n in range(len(columns))]
