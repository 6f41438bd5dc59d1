"""Writes the reference pages that repeat what the code says: `python -m docs.generate`.

A page that is written by hand falls behind; these are made from the code itself, and
tests/architecture/test_docs_cover_settings.py fails when a page is not what this would write.
"""

import ast
import inspect
import tokenize
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec

from adapters.bus.roles import ANY, OWNER, ROLES, Role
from benchmarks import figures
from core import sections, topics
from core.contracts import codec
from core.contracts.order import DenialReason
from core.contracts.tick import TICK
from core.quality import REASONS
from core.settings import Settings
from docs import schema
from docs.words import DENIED, SETTINGS
from features.catalog import FEATURE_SET_HASH, FEATURES, KERNEL_VERSION

DIRECTORY = Path(__file__).parent / "reference"
README = Path(__file__).parents[1] / "README.md"
_NOTICE = "<!-- Written by `python -m docs.generate`; change the code it comes from instead. -->\n"


def main() -> None:
    """Write every page."""
    DIRECTORY.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (DIRECTORY / name).write_text(page())
        print(f"wrote {DIRECTORY / name}")
    README.write_text(with_figures(README.read_text()))


def figures_page() -> str:
    """The table of `make bench` as the repository keeps it."""
    return _page(
        [
            "# Figures",
            "",
            "What `make bench KEEP=1` measured, each figure by the command beside it. The ratio is"
            " ours over the floor, or over the peer, of the same run: it holds on other machines,"
            " and at other loads within its noise; CPU seconds nearly so. What was measured by the"
            " clock at a load above 1.5 is an upper bound (a rate: a lower one) and no more. How to"
            " measure and to compare: [benchmarks](../../benchmarks/README.md).",
            "",
            *_table(figures.HEADER, (figures.cells(one) for one in figures.kept())),
        ]
    )


def with_figures(readme: str) -> str:
    """README with its own short table, of those with a goal that hold, between its marks."""
    begin, end = "<!-- figures -->\n", "<!-- /figures -->\n"
    before, _, rest = readme.partition(begin)
    _, _, after = rest.partition(end)
    shown = (one for one in figures.kept() if one.holds and one.reached is not None)
    rows = ((c[0], c[1], c[4], c[-1]) for c in map(figures.cells, shown))
    table = _table(("figure", "ours", "over peer or floor", "command"), rows)
    return before + begin + "\n".join(table) + "\n" + end + after


def settings_page() -> str:
    """Every setting with type, default and what it is for, from core/sections.py."""
    remarks = _remarks(inspect.getsource(sections))
    parts = [
        "# Settings",
        "",
        "Later wins: defaults, then `tickhouse.toml` in the working directory, then the"
        " environment: `TICKHOUSE_<SECTION>__<NAME>`, lists with commas. A name or type that is"
        " wrong is refused at start, with the nearest known name. With `_FILE` behind it a variable"
        " names a file that holds the value, as container engines hand over secrets:"
        " `TICKHOUSE_CLICKHOUSE__PASSWORD_FILE=/run/secrets/clickhouse`.",
        "",
        "`TICKHOUSE_HOME` (in the file: `home`) is where everything lives, `.tickhouse` by"
        " default. `TICKHOUSE_TEST_DATA` is for tests only. How to use the common ones:"
        " [run-continuously.md](../how-to/run-continuously.md).",
    ]
    for section in msgspec.structs.fields(Settings):
        if not (isinstance(section.type, type) and issubclass(section.type, msgspec.Struct)):
            continue
        parts += ["", f"## {section.name}", "", inspect.getdoc(section.type) or "", ""]
        rows = (
            (
                f"`TICKHOUSE_{section.name.upper()}__{field.name.upper()}`",
                _type_name(field.type),
                f"`{_as_text(field.default)}`" if field.default != "" else "empty",
                remarks.get((section.type.__name__, field.name), "")
                or SETTINGS.get(f"{section.name}.{field.name}", ""),
            )
            for field in msgspec.structs.fields(section.type)
        )
        parts += _table(("variable", "type", "default", "remark"), rows)
    return _page(parts)


def features_page() -> str:
    """The feature catalogue, in the order of a row's columns."""
    rows = (
        (str(i), f"`{f.name}`", f.unit, f.window, f.warm_up, f.definition, f.source)
        for i, f in enumerate(FEATURES)
    )
    names = ("", "column", "unit", "window", "warm-up", "definition", "formula from")
    return _page(
        [
            "# Features",
            "",
            f"{len(FEATURES)} Float32 columns of the table `feature`, in a model's input order."
            f" Kernel version {KERNEL_VERSION}, `feature_set_hash` `{FEATURE_SET_HASH}`: a model"
            " or a saved state with another hash is refused. From `features/catalog.py`.",
            "",
            "`bp` is 1e-4 of the mid price. A value is NaN until its warm-up is over. Every value"
            " uses its own and earlier ticks of the same feed only, those of peers also"
            " other symbols of the source, two seconds behind; out-of-order ticks are skipped.",
            "",
            "Features of one's own ([how](../how-to/write-a-feature.md)) follow these columns in a"
            " row, and stand in the table `own_feature` under a set hash of their own.",
            "",
            *_table(names, rows),
        ]
    )


def denial_page() -> str:
    """Why an order can be denied, with the limit and the observation that are stored."""
    rows = (
        (f"`{reason}`", DENIED[reason].when, DENIED[reason].limit, DENIED[reason].observed)
        for reason in DenialReason
    )
    return _page(
        [
            "# Why orders are denied",
            "",
            "Denied is ours, before anything is sent; the venue's refusals are `rejected`. Each"
            " denial is a row of `order_event` with `kind = 'denied'`: `reason` is the first"
            " column below, `limit` and `observed` the last two, `limits_version` the version and"
            " hash of the limits file, or the setting `execution.limits_version` without one, and"
            " the override that held. How to set limits:"
            " [limits-and-halt.md](../how-to/limits-and-halt.md). Orders that reduce risk are"
            " held back by an unsettled order of the same feed only (`halted`). Checks:"
            " `execution/risk/checks.py`; the order in which they are made: `ENTRY` there.",
            "",
            *_table(("reason", "when", "limit", "observed"), rows),
        ]
    )


def quarantine_page() -> str:
    """Why a tick can be refused."""
    rows = ((f"`{reason}`", meaning) for reason, meaning in REASONS.items())
    return _page(
        [
            "# Why ticks are quarantined",
            "",
            "A refused tick is a row of `tick_quarantine` with one of these reasons, and in no"
            " bar or feature. Collector and importers share the rules, in `core/quality.py`."
            " Crossed, locked, same-millisecond and out-of-order ticks are not refused: they are"
            " kept with a bit in `tick.quality`.",
            "",
            *_table(("reason", "meaning"), rows),
        ]
    )


def topics_page() -> str:
    """Every topic with its key, durability and messages."""
    decoders = codec._decoders  # the one place that maps topics to messages
    rows = (
        (
            f"`{topic.name}`",
            f"`{topic.key}`",
            "yes" if topic.synced else "no",
            ", ".join(_messages(decoders[topic.name])) if topic.name in decoders else "none yet",
            ", ".join(_writers(topic)),
            ", ".join(name for name, role in _processes() if topic in role.reads),
        )
        for topic in topics.ALL
    )
    return _page(
        [
            "# Topics of the bus",
            "",
            "From `core/topics.py`; messages are MessagePack and begin with name and version"
            " (`core/contracts/`). Synced: a publish is on disk with fsync before it is"
            " acknowledged, unless `bus.sync` is `process`, as in replays. On NATS a topic is a"
            " JetStream stream of the same name with subjects `<topic>.<key>`; on Kafka a topic"
            " `<bus.topic_prefix><topic>` with that key, message ids in header `id`, and one"
            " partition but for `ticks` (`bus.partitions`).",
            "",
            *_table(("topic", "key", "synced", "messages", "written by", "read by"), rows),
            "",
            "Who writes and reads is who may (`adapters/bus/roles.py`), and so may the home's"
            " `owner`; of `control` and `heartbeats` each writes its own keys only"
            " ([secure-the-bus.md](../how-to/secure-the-bus.md)).",
            "",
            "A `TickBatch` carries its ticks as bytes, little endian,"
            f" {TICK.itemsize} bytes each, in this order: "
            + ", ".join(f"`{name}` {TICK[name].str[1:]}" for name in TICK.names or ())
            + ".",
            "",
            "In a replay `ticks` also has keys `marker.slice`, `marker.train`, `marker.model`,"
            " `marker.end`, and `signals` has one key `slice`"
            " ([ADR 0001](../adr/0001-order-of-the-tick-stream.md)).",
        ]
    )


def _writers(topic: topics.Topic) -> Iterator[str]:
    for name, role in _processes():
        keys = [key for written, key in role.writes if written is topic]
        if keys:
            own = ([ANY], [name], [name, f"{name}.{ANY}"])  # the last: a flow's shards
            yield name if keys in own else f"{name} (`{', '.join(keys)}`)"


def _processes() -> Iterator[tuple[str, Role]]:
    return ((name, role) for name, role in ROLES.items() if name != OWNER)


def schema_page() -> str:
    """Tables and views by the migrations' text, marts by dbt's descriptions."""
    parts = [
        "# Schema",
        "",
        "Database `tickhouse`, from the migrations; then the marts, from dbt. How to ask:"
        " [query-the-warehouse.md](../how-to/query-the-warehouse.md). The columns of `feature`"
        " that models read are in [features.md](features.md).",
    ]
    for table in schema.tables():
        key = f" Identity: {table.identity}." if table.identity else ""
        parts += ["", f"## {table.name}", "", f"{table.description}{key}", ""]
        parts += _table(("column", "type", "meaning"), table.columns)
    parts += [
        "",
        "# Marts",
        "",
        "Database `tickhouse_marts` for live rows, `tickhouse_marts_<mode>` for the others:"
        " [use-the-marts.md](../how-to/use-the-marts.md).",
    ]
    for mart in schema.marts():
        parts += ["", f"## {mart.name}", "", mart.description, ""]
        parts += _table(("column", "type", "meaning"), mart.columns)
    return _page(parts)


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "features.md": features_page,
    "denial-reasons.md": denial_page,
    "quarantine-reasons.md": quarantine_page,
    "topics.md": topics_page,
    "schema.md": schema_page,
    "figures.md": figures_page,
}


def _messages(decoder: Any) -> list[str]:
    """Names with versions of the messages a decoder reads."""
    kinds = getattr(decoder.type, "__args__", (decoder.type,))
    return [f"`{kind.__struct_config__.tag}`" for kind in kinds]


def _remarks(source: str) -> dict[tuple[str, str], str]:
    """(class, field) -> the comment beside the field, or the `#:` comment above it."""
    beside: dict[int, str] = {}
    alone: dict[int, str] = {}
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            kept = alone if token.line.lstrip().startswith("#") else beside
            kept[token.start[0]] = token.string.lstrip("#: ")
    remarks: dict[tuple[str, str], str] = {}
    for node in ast.parse(source).body:
        for line in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                assert isinstance(node, ast.ClassDef)
                text = beside.get(line.lineno, "") or _above(alone, line.lineno)
                remarks[node.name, line.target.id] = text
    return remarks


def _above(alone: dict[int, str], line: int) -> str:
    lines: list[str] = []
    while (line := line - 1) in alone:
        lines.insert(0, alone[line])
    return " ".join(lines)


def _type_name(kind: Any) -> str:
    choices = getattr(kind, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        return ", ".join(f"`{choice}`" for choice in choices)
    return "list of names" if choices else kind.__name__


def _as_text(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _table(names: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    names = list(names)
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    return lines + [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]


def _page(parts: Iterable[str]) -> str:
    return _NOTICE + "\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
