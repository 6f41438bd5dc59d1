"""How a process begins: its log, one record per line on standard error, and what others may read.

Modules log by the standard library, so that none of them has to import what formats. Here records
become lines: JSON into the file that the supervisor keeps per process, for machines to search
(`readable` and `tickhouse logs` print it for people), and plain text on a terminal. A line about
an order carries the id of its trace.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from core import secrets
from core.absent import absent
from core.errors import TickhouseError, UnavailableError
from core.private import keep_private
from core.trace import trace_id

if TYPE_CHECKING:
    from structlog.typing import Processor

#: An order's name stands in a line like a word; nothing else of ours has 30 hex digits.
_ORDER = re.compile(r"\b[0-9a-f]{30}\b")
_FIELDS = ("timestamp", "level", "process", "logger", "event")  # of every line, in this order


def setup(process: str, level: int = logging.INFO) -> None:
    """Configure the root logger of a process, and keep its files private. Times are UTC."""
    keep_private()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(process, plain=sys.stderr.isatty()))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)


def exit_code(main: Callable[[], int]) -> int:
    """A process's exit code; what a person can mend or wait for is one line and no traceback.

    1 when something stayed away (start again), 2 for an error that a person must mend.
    """
    try:
        return main()
    except TickhouseError as error:
        logging.getLogger("tickhouse").error("%s", error)
        return 1 if isinstance(error, UnavailableError) else 2


def parsed(line: str) -> dict[str, Any] | None:
    """The record of a line of a log; None for what a process wrote beside its log."""
    try:
        record = json.loads(line) if line.startswith("{") else None
    except ValueError:  # cut by a rotation, or something else's JSON
        return None
    return record if isinstance(record, dict) and "event" in record else None


def readable(line: str, process: str = "") -> str:
    """A line of a log as a person reads it, `process` where it names none; others as they are."""
    record = parsed(line)
    if record is None:
        return line
    known = {name: str(record.pop(name, "")) for name in _FIELDS}
    process = known["process"] or process
    trace = record.pop("exception", "")
    rest = "".join(f" {name}={value}" for name, value in record.items())
    head = f"{known['timestamp']} {process} {known['level'].upper()} {known['logger']}: "
    return f"{head}{known['event']}{rest}" + (f"\n{trace}" if trace else "")


def _formatter(process: str, *, plain: bool) -> logging.Formatter:
    """structlog is imported when a process starts, not by every command that can log."""
    with absent("rich"):  # it would draw tracebacks with it
        import structlog

    def of_this_process(_: Any, __: str, event: MutableMapping[str, Any]) -> Any:
        event["process"] = process
        return event

    before: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%S.%fZ", utc=True),
        of_this_process,
        structlog.processors.format_exc_info,
        _traced,
        _masked,
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _ordered,
            _as_text if plain else _as_json,
        ],
    )


def _traced(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """With the trace of the order that the line is about, whoever wrote it: execution, too, which
    knows nothing of traces.
    """
    order = _ORDER.search(str(event.get("event", "")))
    if order and "trace_id" not in event:
        event["trace_id"] = trace_id(order[0])
    return event


def _masked(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Without secrets, before quotes and backslashes in them are escaped."""
    for name, value in event.items():
        if not name.startswith("_") and not isinstance(value, int | float | None):
            event[name] = secrets.masked(str(value))
    return event


def _ordered(_: Any, __: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    return {**{name: event.get(name, "") for name in _FIELDS}, **event}


def _as_json(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False)


def _as_text(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    return readable(_as_json(_, __, event))
