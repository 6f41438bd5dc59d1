"""A question and its answer: what was understood, the statement, and what came back."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from questions import grammar, sql, stored
from questions.catalog import measures
from questions.lexicon import lexicon
from questions.named import Names
from questions.plan import Bound, Plan
from questions.sql import Place

_TIMELESS = {"dim_symbol", "dim_model"}
_FILLED = """
SELECT if(count() = 0, '', formatDateTime(min(newest), '%Y-%m-%d %H:%i', 'UTC')) AS filled
FROM (
    SELECT max(modification_time) AS newest FROM system.parts
    WHERE active AND database = '{marts}' AND table IN ({names}) GROUP BY table
)
"""
Query = Callable[[str], Sequence[dict[str, Any]]]


class Answer(NamedTuple):
    """Rows by column; `says` tells in words what they are, and from which rows.

    `plan` is None of a statement that the grammar did not write.
    """

    plan: Plan | None
    statement: str
    says: str
    rows: list[dict[str, Any]]


class Asker:
    """Answers questions about one mode of a home, for as long as its names stay as they are."""

    def __init__(self, query: Query, place: Place, names: Names | None = None) -> None:
        self._query, self._place = query, place
        self._lexicon = lexicon(stored.names(query, place) if names is None else names)

    def understood(self, text: str, now: datetime) -> tuple[Plan, str]:
        """The plan of a question and its statement.

        Args:
            text: in English.
            now: UTC, what "today" is relative to.

        Raises:
            UnansweredError: the grammar has no answer; its text says why.
        """
        plan = grammar.plan(text, self._lexicon, now)
        return plan, sql.statement(plan, self._place)

    def ask(self, text: str, now: datetime) -> Answer:
        """Understand, have the warehouse plan it, run it.

        Raises:
            UnansweredError: as `understood`.
            WarehouseError: the warehouse refused; nothing ran beyond the reader's rights.
        """
        plan, statement = self.understood(text, now)
        self._query(f"EXPLAIN {statement}")
        rows = [dict(row) for row in self._query(statement)]
        return Answer(plan, statement, says(plan) + self.as_of(statement), rows)

    def as_of(self, statement: str) -> str:
        """Up to when the marts know that it reads, "; marts of 2026-11-25 10:37", if it reads any.

        Tables follow the market within a second; marts are filled now and then.
        """
        read = set(re.findall(rf"\b{self._place.marts}\.(\w+)", statement)) - _TIMELESS
        if not read:
            return ""
        names = ", ".join(f"'{name}'" for name in sorted(read))
        filled = self._query(_FILLED.format(marts=self._place.marts, names=names))[0]["filled"]
        return f"; marts of {filled}" if filled else "; no row is in these marts so far"


def says(plan: Plan) -> str:
    """What was understood, for a person to check: "profit of trades, by hour, yesterday (UTC)"."""
    names = plan.measure.split("+")
    rows, _ = measures()[names[0]]
    parts = [" and ".join(name.replace("_", " ") for name in names)]
    aggregate = _AGGREGATES.get(plan.aggregate, plan.aggregate.replace("+", ", "))
    parts[0] = f"{aggregate} of {parts[0]}" if plan.aggregate not in ("", "count") else parts[0]
    parts.append(f"from {rows.name.replace('_', ' ')}")
    parts[0] += f" per {plan.over.replace('_', ' ')}" if plan.over else ""
    parts[0] += " in percent" if plan.in_percent else ""
    parts[0] = f"those without {parts[0]}" if plan.is_none else parts[0]
    parts += [f"by {', '.join(plan.dimensions)}"] if plan.dimensions else []
    parts += [
        f"{one.column} {'not ' if one.leaves_out else ''}{' and '.join(one.values)}"
        for one in plan.filters
    ]
    parts += [_said(bound) for bound in plan.bounds]
    parts.append(f"{plan.span.text} (UTC)" if rows.time else "the newest")
    end = {"most": "most first", "least": "least first"}.get(plan.order, "")
    parts += [f"{end}{f', {plan.limit} of them' if plan.limit else ''}"] if end else []
    return "; ".join(parts)


_AGGREGATES = {
    "rows": "how many rows by a bound", "rows_share": "share of rows by a bound",
    "groups": "how many groups by a bound", "per_group": "mean of groups",
}  # fmt: skip


def _said(bound: Bound) -> str:
    """ "slippage bp above 2"."""
    side = "above" if bound.above else "below"
    side = f"{side} or at" if bound.inclusive else side
    return f"{bound.measure.replace('_', ' ')} {side} {bound.amount:.6g}"
