"""A question or a statement of a person, answered with that person's rights in the warehouse.

Every statement, whoever wrote it, is first explained by the warehouse, which names the tables it
would read, and then asked with a limit of rows and time. The server decides what it may be.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from adapters.clickhouse import bounded, marts
from core.clock import Clock
from core.errors import InputError
from core.sections import ClickhouseSettings
from core.settings import Settings
from dashboards.ask.provider import Written
from dashboards.ask.saved import LONGEST_SQL
from dashboards.entrance.sign_in import SignedIn
from questions.answer import Asker, says
from questions.chart import chart_of, is_over_time
from questions.plan import UnansweredError
from questions.sql import Place

_LONGEST_QUESTION = 500
_READ = re.compile(r"ReadFrom\w* \((\w+\.[^()\s]+)\)")
Provider = Callable[[str, ClickhouseSettings], Written]


class Asking:
    """Answers for one home. Blocking; each question has a connection of its own.

    Args:
        provided: a statement for a question that the grammar refuses, and who wrote it; None:
            nobody is asked, and nothing leaves the machine.
    """

    def __init__(
        self, settings: Settings, clock: Clock, provided: Provider | None = None
    ) -> None:  # fmt: skip
        self._where, self._clock, self._provided = settings.clickhouse, clock, provided
        mode = settings.marts_mode
        database = settings.clickhouse.database
        self._place = Place(database, marts.named(database, mode), mode)

    def question(self, who: SignedIn, text: str) -> dict[str, Any]:
        """What was understood, the statement, and what it gives.

        Raises:
            InputError: nobody has an answer; says why.
            UnavailableError, WarehouseError: the warehouse is away, or refused the statement.
        """
        if not text.strip() or len(text) > _LONGEST_QUESTION:
            raise InputError("question", f"is empty, or longer than {_LONGEST_QUESTION} letters")
        where = self._as(who)
        now = datetime.fromtimestamp(self._clock.now_us() / 1e6, UTC)
        try:
            asker = Asker(lambda sql: bounded.ask(where, sql, None).named(), self._place)
            plan, sql = asker.understood(text, now)
            about = {"says": says(plan) + asker.as_of(sql), "by": ""}
            over_time = is_over_time(plan.dimensions, plan.order)
        except UnansweredError as error:
            if self._provided is None:
                raise InputError("question", f"cannot be answered: {error}") from error
            sql, by = self._provided(text, where)
            about, over_time = {"says": "", "by": by}, False
        return self._answered(where, sql, over_time=over_time) | about

    def statement(self, who: SignedIn, sql: str) -> dict[str, Any]:
        """What a statement gives.

        Raises:
            InputError: it is empty or too long.
            UnavailableError, WarehouseError: the warehouse is away, or refused it.
        """
        if not sql.strip() or len(sql) > LONGEST_SQL:
            raise InputError("sql", f"is empty, or longer than {LONGEST_SQL} characters")
        return self._answered(self._as(who), sql, over_time=False) | {"says": "", "by": ""}

    def _answered(
        self, where: ClickhouseSettings, sql: str, *, over_time: bool
    ) -> dict[str, Any]:  # fmt: skip
        planned = bounded.ask(where, f"EXPLAIN {sql}")
        read = sorted({name for row in planned.rows for name in _READ.findall(str(row[0]))})
        given = bounded.ask(where, sql)
        spec = chart_of(given.named(), "", over_time=over_time) if given.rows else None
        return given.plain() | {"sql": sql, "read": read, "chart": spec}

    def _as(self, who: SignedIn) -> ClickhouseSettings:
        """The warehouse under the person's own name, so that their filters and limits hold."""
        if not who.token:
            return self._where
        if not self._where.credentials:
            if who.is_bounded:
                text = "you have filters or limits, which only the embedded warehouse holds for us"
                raise InputError("rights", text)
            return self._where
        return replace(self._where, user=f"{self._where.user}/{who.name}")
