"""The engine's own parser, on connections that serve nothing else.

A text to be parsed travels as a literal, so whatever it says, nothing of it runs.
"""

import re
from collections import deque
from collections.abc import Callable
from functools import cached_property
from typing import Any

from core.errors import WarehouseError
from warehouse.engine.answer import Context, errors

_SETTINGS = (
    "SET log_queries = 0, max_query_size = 1073741824, use_query_cache = 0, readonly = 1"  # last
)
_TREE = "WITH {} AS s, parseQueryToJSON(s) AS j SELECT j, formatQueryFromJSON(j), {}"
_WRITTEN = "formatQuerySingleLine(s)"
# What the engine adds about our own question.
_SCOPE = re.compile(r": (?:In scope|while executing) .*(?=\. \([A-Z_]+\)\s*\Z)", re.DOTALL)


class Parser:
    """Parses statements and runs none. Thread-safe.

    connect: opens a bare connection of the engine.
    """

    def __init__(self, connect: Any) -> None:
        self._connect = connect
        self._idle: deque[Any] = deque()  # its ends are safe between threads

    def tree(self, sql: str) -> tuple[str, str, str]:
        """A statement's tree as JSON, the text that the tree gives, the text that the parser gives.

        Raises:
            WarehouseError: 62 or another code of the engine; 36, it has no tree.
        """
        tree, given, written = self._ask(_TREE.format(_literal(sql), _WRITTEN)).split("\t", 2)
        return tree, given, written

    def written(self, sql: str) -> str:
        """A statement as the engine writes it, on one line.

        Raises:
            WarehouseError: the engine cannot read it.
        """
        return self._ask(f"WITH {_literal(sql)} AS s SELECT {_WRITTEN}")

    def classify(self, sql: str) -> str:
        """The engine's class of a statement: READ_ONLY, MUTATING, MUTATING_GLOBAL, CONTROL...

        Raises:
            WarehouseError: the engine cannot read it.
        """
        return str(self._on(lambda raw: raw.classify_query(_bytes(sql))["query_class"].name))

    @cached_property
    def table_functions(self) -> frozenset[str]:
        """The engine's table functions, in lower case; all others of that form are views."""
        return frozenset(self._ask("SELECT lower(name) FROM system.table_functions").split())

    def close(self) -> None:
        """Close the connections. Nobody may be parsing."""
        while self._idle:
            self._idle.pop().close()

    def _ask(self, question: str) -> str:
        answer = self._on(lambda raw: bytes(raw.query(_bytes(question), "TSVRaw").bytes()))
        return str(answer.decode("utf-8", "replace").removesuffix("\n"))

    def _on(self, job: Callable[[Any], Any]) -> Any:
        raw = self._idle.pop() if self._idle else self._opened()
        try:
            with errors(Context()):
                return job(raw)
        except WarehouseError as error:
            raise WarehouseError(_SCOPE.sub("", str(error)), error.code) from error
        finally:
            self._idle.append(raw)

    def _opened(self) -> Any:
        raw = self._connect()
        raw.query(_SETTINGS, "Null")
        return raw


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
