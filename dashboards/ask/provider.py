"""The provider of a home, if there is one: asked when the grammar refuses, in bounds, redacted."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from adapters.clickhouse import bounded, marts
from adapters.completion.address import place_of
from adapters.completion.guarded import Guarded
from adapters.completion.openai import complete
from core import identity
from core.clock import Clock
from core.errors import InputError, SettingsError
from core.sections import ClickhouseSettings
from core.settings import Settings
from questions import provided
from questions.plan import UnansweredError
from questions.redaction import Redaction
from questions.sql import Place


class Written(NamedTuple):
    """A statement, and who wrote it."""

    statement: str
    by: str


class HomesProvider:
    """Writes statements for one home. Blocking."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        place_of(settings.ask.provider)
        if not settings.ask.model:
            raise SettingsError("ask.model: say which model of the provider is asked")
        self._settings, self._clock = settings, clock
        self._guarded = Guarded(settings.home_path, settings.ask, clock, complete)
        self.name = f"{settings.ask.model} at {urlsplit(settings.ask.provider).hostname}"

    def __call__(self, text: str, where: ClickhouseSettings, mode: str = "") -> Written:
        """A statement for a question; what it reads of the schema, as whoever `where` signs in.

        Raises:
            InputError: it has no answer.
            UnavailableError: provider or warehouse are away, or it was asked enough.
            WarehouseError, SettingsError: one of them refused, or must not be asked.
        """
        now = datetime.fromtimestamp(self._clock.now_us() / 1e6, UTC)
        mode, database = mode or self._settings.marts_mode, where.database
        place = Place(database, marts.named(database, mode), mode)
        try:
            sql = provided.statement(
                text, now, place, lambda s: bounded.ask(where, s, None).named(),
                self._guarded.ask, Redaction(self._names()),
            )  # fmt: skip
        except UnansweredError as error:
            raise InputError("question", f"cannot be answered: {error}") from error
        return Written(sql, self.name)

    def _names(self) -> Iterator[tuple[str, str]]:
        """Whom and what the home knows by name."""
        settings = self._settings
        yield "account", settings.run.account
        yield from (("name", word) for word in settings.ask.redact)
        path = identity.path_in(settings.home_path)
        if identity.exists(path):
            yield from (("person", name) for name in identity.load(path))


def provider_of(settings: Settings, clock: Clock) -> HomesProvider | None:
    """The home's; None when none is set, and nothing leaves the machine.

    Raises:
        SettingsError: one is set that cannot be.
    """
    return HomesProvider(settings, clock) if settings.ask.provider else None
