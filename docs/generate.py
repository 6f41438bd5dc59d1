"""Writes the reference pages that repeat what the code says: `python -m docs.generate`.

A page that is written by hand falls behind; these are made from the code itself, and
tests/architecture/test_docs_cover_settings.py fails when a page is not what this would write.
"""

import ast
import inspect
import tokenize
from collections.abc import Callable, Iterable
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from core import settings, topics
from core.contracts import codec
from core.contracts.order import DenialReason
from core.contracts.tick import TICK
from core.quality import REASONS
from core.settings import Settings
from docs import schema
from features.catalog import FEATURE_SET_HASH, FEATURES, KERNEL_VERSION

DIRECTORY = Path(__file__).parent / "reference"
_NOTICE = "<!-- Written by `python -m docs.generate`; change the code it comes from instead. -->\n"


class Denied(NamedTuple):
    """What a reader of a denied order needs to know."""

    when: str
    limit: str
    observed: str


DENIED = {
    DenialReason.HALTED: Denied(
        "a person or a breaker halted trading, or an earlier order of this feed has no known"
        " outcome yet",
        "0",
        "1 for the unsettled order, else 0",
    ),
    DenialReason.REDUCING: Denied("only orders that reduce risk pass", "0", "lots asked for"),
    DenialReason.STALE_SIGNAL: Denied(
        "the signal is past its expiry (`signals.expiry_s`)",
        "seconds a signal lives",
        "its age in seconds",
    ),
    DenialReason.STALE_QUOTE: Denied(
        "the newest quote is too old, or there is none",
        "`max_quote_age_s`",
        "its age in seconds, infinite without one",
    ),
    DenialReason.DUPLICATE: Denied("a signal with this id was handled before", "1", "2"),
    DenialReason.OVERSIZED: Denied(
        "more lots than one order may have, or a target outside -1 to 1",
        "the smaller of `max_lots` and the venue's maximum; 1 for a target",
        "lots asked for; the target",
    ),
    DenialReason.TOO_MANY: Denied(
        "too many entries of this feed within a minute",
        "`max_orders_per_minute`",
        "entries with this one",
    ),
    DenialReason.OFF_PRICE: Denied(
        "the signal's reference price is too far from the live mid; or its stop is missing or"
        " already passed",
        "`collar`; or the stop",
        "distance as a share of the price; or the price at which the position would close",
    ),
    DenialReason.WIDE_SPREAD: Denied(
        "the spread is too wide against the median of the feed's last 256 quotes",
        "`max_spread_ratio`",
        "spread over that median",
    ),
    DenialReason.MARKET_CLOSED: Denied(
        "outside the instrument's session (`core/instruments.toml`)", "1", "0"
    ),
    DenialReason.UNKNOWN_SYMBOL: Denied(
        "no reference data for the symbol, or the venue does not trade it", "1", "0"
    ),
    DenialReason.NO_CONVERSION_RATE: Denied(
        "the venue cannot say the margin in account currency", "1", "0"
    ),
    DenialReason.NO_MARGIN: Denied("the account has too little free margin", "free", "needed"),
    DenialReason.BELOW_MINIMUM: Denied(
        "the position to be opened is below the venue's smallest", "smallest lots", "lots wanted"
    ),
    DenialReason.RESTRICTED: Denied(
        "the limits file closes the symbol to new positions (`restricted`)", "0", "lots asked for"
    ),
    DenialReason.ORDER_VALUE: Denied(
        "the order is worth too much, account currency", "`max_order_value`", "its notional"
    ),
    DenialReason.POSITION_LIMIT: Denied(
        "all strategies together would hold too much of the feed",
        "`max_position_lots`",
        "net lots with this order",
    ),
    DenialReason.GROSS_EXPOSURE: Denied(
        "all positions together would be worth too much, account currency",
        "`max_gross_exposure`",
        "their notional with this order",
    ),
    DenialReason.MESSAGE_RATE: Denied(
        "too many orders of the account within a second, exits counted",
        "`max_messages_per_second`",
        "orders with this one",
    ),
    DenialReason.THROTTLED: Denied(
        "the strategy entered this feed too often within `repeat_window_s`; closed until"
        " `tickhouse throttle release`",
        "`max_repeats`",
        "entries with this one",
    ),
    DenialReason.DAILY_LOSS: Denied(
        "the account lost too much since 17:00 New York", "`max_daily_loss`", "the loss"
    ),
    DenialReason.DRAWDOWN: Denied(
        "the account is too far below its highest equity", "`max_drawdown`", "how far"
    ),
}

#: What a comment in core/settings.py does not say already.
SAID = {
    "run.run_id": "under which rows and journal are kept; a replay makes its own",
    "run.mode": "stored in every row; `shadow` decides and sends nothing; a replay sets `replay`",
    "run.account": "ours, not the broker's login; one order journal per account",
    "run.strategy": "`model`, or `scripted`, a fixed rule without a model",
    "clickhouse.url": "`http://host:8123` of a real server; then no warehouse is started",
    "clickhouse.user": "of that server",
    "clickhouse.password": "of that server; better in the environment than in a file",
    "clickhouse.database": "made if missing",
    "bus.kind": "`kafka` needs `bus.url` and the extra `kafka`",
    "bus.url": "`nats://host:4222` of a real server, `kafka://host:9092,...`: no bus is started",
    "bus.user": "at a server elsewhere, with `bus.password`",
    "bus.password": "of `bus.user`",
    "bus.token": "instead of user and password, when the server wants one",
    "bus.ca": "PEM file of who signed the server's certificate; then nothing but TLS is spoken",
    "bus.certificate": "PEM file of ours, with `bus.key`, when the server asks for one",
    "bus.key": "PEM file of the key of `bus.certificate`",
    "terminal.agent": "its agent's name, the same on both machines",
    "bus.duplicate_window_s": "how long a repeated message id is recognised",
    "terminal.kind": "`real` needs Windows and the package MetaTrader5; `agent`: it has an agent",
    "terminal.address": "of a simulated terminal that runs already; then none is started",
    "terminal.symbols": "what the collector takes and the generated market makes",
    "terminal.currency": "of the simulated account",
    "terminal.login": "of the one real account that may trade; 0: none may",
    "terminal.server": "of that account",
    "terminal.path": "of the terminal's executable; empty: the one that runs",
    "collector.poll_ms": "pause between two looks at the terminal",
    "signals.horizon_s": "how long an entry of strategy `model` is held",
    "signals.expiry_s": "after so many seconds a signal may not open or add",
    "execution.max_quote_age_s": "older quotes deny entries",
    "execution.limits_version": "stored with each denial while no limits file is installed",
    "orchestration.enabled": "off: nothing runs on a schedule",
    "alerts.email_to": "an address; needs `alerts.smtp`",
    "alerts.email_from": "the sender",
    "alerts.smtp_user": "of the mail server; empty: it asks for none",
    "alerts.smtp_password": "of the mail server; better in the environment than in a file",
    "alerts.smtp_security": "of the connection to the mail server",
    "models.horizon_s": "how far ahead the label looks",
    "models.rounds": "trees per class",
    "models.depth": "of each tree",
    "models.learning_rate": "of the booster",
    "models.max_rows": "of each part; more are thinned evenly over time",
    "models.threads": "of the trainer",
    "models.members": "of the ensemble; `sequence` needs the extra of that name, and a replay's"
    " training leaves it out",
    "chaos.crash_at": "`<process>.<place>:<n>`, several with commas; never set it in earnest",
}


def main() -> None:
    """Write every page."""
    DIRECTORY.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (DIRECTORY / name).write_text(make())
        print(f"wrote {DIRECTORY / name}")


def settings_page() -> str:
    """Every setting with type, default and what it is for, from core/settings.py."""
    remarks = _remarks(inspect.getsource(settings))
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
                or SAID.get(f"{section.name}.{field.name}", ""),
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
            " `execution/risk.py`; the order in which they are made: `ENTRY` there.",
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
            *_table(("topic", "key", "synced", "messages"), rows),
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
    found: dict[tuple[str, str], str] = {}
    for node in ast.parse(source).body:
        for line in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                assert isinstance(node, ast.ClassDef)
                text = beside.get(line.lineno, "") or _above(alone, line.lineno)
                found[node.name, line.target.id] = text
    return found


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
