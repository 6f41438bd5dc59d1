"""Draws the structure of the product from its real folders and imports: before the rooms, and now.

`python -m docs.structure` reads the last commit before folders were split and this checkout, and
writes docs/pictures/structure-{before,after}.svg and the tables of docs/explanation/structure.md.
A square is a module; squares that stand together share a folder; a line is an import, thicker for
more of them.
"""

import ast
import io
import math
import re
import statistics
import subprocess
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BEFORE = "ccf7868"
PAGE = ROOT / "docs" / "explanation" / "structure.md"
#: The layers of the import contract: who stands higher may import what stands lower.
LAYERS = (
    ("cli", "tickhouse"),
    ("bot", "assistant", "api"),
    ("orchestration", "backtest", "dashboards"),
    ("surveillance",),
    ("streams", "execution", "quality", "reports"),
    ("models", "strategies", "audit"),
    ("adapters", "features", "warehouse", "risk"),
    ("core",),
)
_ROOMS = [room for layer in LAYERS for room in layer]
_SIDE, _GAP, _PAD, _TITLE, _LABEL = 9, 2, 10, 34, 13
_WIDTH, _BETWEEN, _ROWS_APART = 1180, 26, 46
_INK, _SOFT, _LINE, _BOX, _MARK = "#22303a", "#5c6b75", "#8aa0ad", "#f4f6f7", "#2a7f86"
_FULL = "#b4553c"  # a folder with more than twenty modules side by side
_CROWDED = 20


class Room(NamedTuple):
    """A top folder: modules by folder below it, imports by room, lines of each function."""

    name: str
    folders: dict[str, int]
    imports: Counter[str]
    functions: list[int]

    @property
    def modules(self) -> int:
        """Python modules, `__init__` not counted."""
        return sum(self.folders.values())

    @property
    def fullest(self) -> int:
        """Modules side by side in its fullest folder."""
        return max(self.folders.values(), default=0)


def main() -> None:
    """Draw both, fill the page's tables."""
    with tempfile.TemporaryDirectory() as folder:
        _unpack(BEFORE, Path(folder))
        before = rooms(Path(folder))
    after = rooms(ROOT)
    for name, drawn in (("before", before), ("after", after)):
        (ROOT / "docs" / "pictures" / f"structure-{name}.svg").write_text(drawing(drawn))
    text = re.sub(
        r"(<!-- figures -->\n).*?(<!-- /figures -->)",
        lambda match: match[1] + figures(before, after) + match[2],
        PAGE.read_text(),
        flags=re.DOTALL,
    )
    PAGE.write_text(text)


def _unpack(commit: str, folder: Path) -> None:
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extraction_filter = lambda member, _: member  # a commit of ours
        archive.extractall(folder)


def rooms(tree: Path) -> list[Room]:
    """The rooms that a tree has, in the order of the layers."""
    return [_room(tree, name) for name in _ROOMS if (tree / name).is_dir()]


def _room(tree: Path, name: str) -> Room:
    folders: Counter[str] = Counter()
    imports: Counter[str] = Counter()
    functions: list[int] = []
    for path in sorted((tree / name).rglob("*.py")):
        if "node_modules" in path.parts:
            continue
        parsed = ast.parse(path.read_text())
        imports.update(room for room in _imported(parsed) if room != name)
        functions += _lines(parsed)
        if path.name != "__init__.py":
            folders[str(path.parent.relative_to(tree / name))] += 1
    return Room(name, dict(folders), imports, functions)


def _imported(parsed: ast.Module) -> Iterator[str]:
    """Rooms of the imports of a module."""
    for node in ast.walk(parsed):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (top for top in (name.partition(".")[0] for name in names) if top in _ROOMS)


def _lines(parsed: ast.Module) -> list[int]:
    return [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(parsed)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def figures(before: Sequence[Room], after: Sequence[Room]) -> str:
    """Folders and functions of both, as a table; a room that was not there has a dash."""
    old = {room.name: room for room in before}
    lines = [
        "| room | modules | side by side, at most | functions | lines, median | lines, p95 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for room in after:
        cells = zip(_cells(old.get(room.name)), _cells(room), strict=True)
        lines.append(f"| `{room.name}` | " + " | ".join(_arrow(a, b) for a, b in cells) + " |")
    cells = zip(_cells(_together(before)), _cells(_together(after)), strict=True)
    lines.append("| all | " + " | ".join(_arrow(a, b) for a, b in cells) + " |")
    return "\n".join(lines) + "\n"


def _together(rooms_: Sequence[Room]) -> Room:
    folders = {f"{room.name}/{name}": n for room in rooms_ for name, n in room.folders.items()}
    return Room("all", folders, Counter(), [n for room in rooms_ for n in room.functions])


def _cells(room: Room | None) -> list[str]:
    if room is None:
        return ["-"] * 5
    lengths = sorted(room.functions) or [0]
    at_95 = lengths[min(len(lengths) - 1, math.ceil(0.95 * len(lengths)) - 1)]
    median = f"{statistics.median(lengths):g}"
    return [f"{room.modules}", f"{room.fullest}", f"{len(room.functions)}", median, f"{at_95}"]


def _arrow(before: str, after: str) -> str:
    return after if before == after else f"{before} → {after}"


class Box(NamedTuple):
    """Where a room is drawn."""

    room: Room
    x: float
    y: float
    width: float
    height: float


def drawing(rooms: Sequence[Room]) -> str:
    """The picture of a tree, as SVG."""
    boxes, height = _placed({room.name: room for room in rooms})
    by_name = {box.room.name: box for box in boxes}
    most = max((n for box in boxes for n in box.room.imports.values()), default=1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
        'font-family="system-ui, sans-serif">',
        f'<rect width="{_WIDTH}" height="{height:.0f}" fill="#ffffff"/>',
        *(
            _edge(box, by_name[name], count / most)
            for box in boxes
            for name, count in sorted(box.room.imports.items())
            if name in by_name
        ),
        *(part for box in boxes for part in _drawn(box)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _placed(rooms: dict[str, Room]) -> tuple[list[Box], float]:
    boxes: list[Box] = []
    top = 18.0
    for layer in LAYERS:
        here = [rooms[name] for name in layer if name in rooms]
        if not here:
            continue
        sizes = [_size(room) for room in here]
        wide = sum(width for width, _ in sizes) + _BETWEEN * (len(here) - 1)
        left = (_WIDTH - wide) / 2
        for room, (width, height) in zip(here, sizes, strict=True):
            boxes.append(Box(room, left, top, width, height))
            left += width + _BETWEEN
        top += max(height for _, height in sizes) + _ROWS_APART
    return boxes, top - _ROWS_APART + 18


def _size(room: Room) -> tuple[float, float]:
    columns = [_block(name, count) for name, count in _by_folder(room)]
    rows = _wrapped(columns)
    width = max(sum(w for w, _ in row) + _PAD * (len(row) - 1) for row in rows)
    height = sum(max(h for _, h in row) for row in rows) + 6 * (len(rows) - 1)
    return max(width, 7.2 * len(room.name) + 70) + 2 * _PAD, height + _TITLE + _PAD


def _wrapped(blocks: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Blocks in rows of at most four, so that a room is no ribbon."""
    per_row = 4 if len(blocks) > 4 else max(1, min(len(blocks), 3))
    return [list(blocks[i : i + per_row]) for i in range(0, len(blocks), per_row)] or [[(0, 0)]]


def _by_folder(room: Room) -> list[tuple[str, int]]:
    """Own modules first, then folders, the fullest first; what lies deeper joins its folder."""
    joined: defaultdict[str, int] = defaultdict(int)
    for name, count in room.folders.items():
        joined[name.partition("/")[0]] += count
    return sorted(joined.items(), key=lambda item: (item[0] != ".", -item[1], item[0]))


def _across(count: int) -> int:
    return max(3, math.ceil(math.sqrt(count * 1.6)))


def _block(name: str, count: int) -> tuple[float, float]:
    """Width and height of a folder's squares with its label."""
    across = _across(count)
    label = "" if name == "." else name
    width = max(across * (_SIDE + _GAP), 5.6 * len(label))
    return width, math.ceil(count / across) * (_SIDE + _GAP) + _LABEL


def _edge(source: Box, target: Box, share: float) -> str:
    """A curve from the bottom of who imports to the top of who is imported."""
    x1, x2 = source.x + source.width / 2, target.x + target.width / 2
    y1, y2 = source.y + source.height, target.y
    bend = max(40.0, (y2 - y1) / 2)
    width = 0.6 + 4.4 * math.sqrt(share)
    return (
        f'<path d="M{x1:.0f} {y1:.0f} C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} '
        f'{x2:.0f} {y2:.0f}" fill="none" stroke="{_LINE}" stroke-width="{width:.1f}" '
        'opacity="0.45"/>'
    )


def _drawn(box: Box) -> Iterator[str]:
    room, (x, y) = box.room, (box.x, box.y)
    yield (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}" rx="6" '
        f'fill="{_BOX}" stroke="{_LINE}"/>'
    )
    yield _text(x + _PAD, y + 20, room.name, _INK, 14, weight=600)
    yield _text(x + box.width - _PAD, y + 20, f"{room.modules}", _SOFT, 12, anchor="end")
    folders = _by_folder(room)
    sizes = _wrapped([_block(name, count) for name, count in folders])
    place = iter(folders)
    top = y + _TITLE
    for row in sizes:
        left = x + _PAD
        for (width, _), (name, count) in zip(row, place, strict=False):
            yield from _squares(left, top, name, count, room.folders)
            left += width + _PAD
        top += max(height for _, height in row) + 6


def _squares(x: float, y: float, name: str, count: int, folders: dict[str, int]) -> Iterator[str]:
    crowded = max(n for f, n in folders.items() if f.partition("/")[0] == name) > _CROWDED
    colour, across = _FULL if crowded else _MARK, _across(count)
    if name != ".":
        yield _text(x, y + 8, name, _SOFT, 10)
    for place in range(count):
        left = x + place % across * (_SIDE + _GAP)
        top = y + _LABEL + place // across * (_SIDE + _GAP)
        yield (
            f'<rect x="{left:.0f}" y="{top:.0f}" width="{_SIDE}" height="{_SIDE}" rx="1.5" '
            f'fill="{colour}" opacity="0.8"/>'
        )


def _text(
    x: float,
    y: float,
    words: str,
    colour: str,
    size: int,
    *,
    weight: int = 400,
    anchor: str = "start",
) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )


if __name__ == "__main__":
    main()
