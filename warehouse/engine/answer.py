"""What goes into the engine beside a statement, what comes out, and its errors in our words."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import WarehouseError
from warehouse.protocol.multipart import ExternalTable

_CODE = re.compile(r"Code: (\d+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement returned: the body in its format, and what it read and wrote."""

    body: bytes
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Context:
    """Around one statement: its database, settings, bound parameters and default format.

    tag: a comment by which the running statement is found and killed. tables: external data.
    """

    database: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    default_format: str = "TabSeparated"
    tag: str = ""
    tables: tuple[ExternalTable, ...] = ()


def answer_of(result: Any, body: bytes) -> Answer:
    """The engine's result as an Answer with this body."""
    return Answer(
        body,
        read_rows=result.storage_rows_read(),
        read_bytes=result.storage_bytes_read(),
        written_rows=result.rows_written(),
        written_bytes=result.bytes_written(),
        result_rows=result.rows_read(),
        elapsed_s=result.elapsed(),
    )


@contextlib.contextmanager
def errors(context: Context) -> Iterator[None]:
    """Raise the engine's errors as WarehouseError."""
    try:
        yield
    except (RuntimeError, UnicodeDecodeError) as error:
        raise translated(error, context) from error


def translated(error: RuntimeError | UnicodeDecodeError, context: Context) -> WarehouseError:
    """One error of the engine; the statement's tag is taken out of its text."""
    text = str(error) or "its message is no UTF-8, and this Python is too old to keep it"
    if isinstance(error, UnicodeDecodeError):  # its message quotes bytes that are no UTF-8
        text = error.object.decode("utf-8", "replace")
    if context.tag:
        text = text.replace(context.tag, "")
    match = _CODE.search(text)
    return WarehouseError(text, int(match[1]) if match else 1002)


def refusal(code: int, text: str, name: str) -> WarehouseError:
    """An error that this server finds before the engine does."""
    return WarehouseError(f"Code: {code}. DB::Exception: {text}. ({name})", code)
