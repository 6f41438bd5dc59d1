"""Which models a live stream predicts with, and hearing of a change without a restart.

`tickhouse models promote` and its siblings write the registry's files and say `models` on topic
`control`. A thread reads the files again, loads what they name, and lays it ready; the stream
takes it over before its next batch. What cannot be loaded is not taken over: the stream goes on
with what it has, and says so.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from adapters.bus.base import Bus
from core.contracts import codec
from core.errors import TickhouseError
from core.sections import SignalSettings
from core.topics import CONTROL
from models.serving.in_use import Chosen, Loaded, open_models
from models.serving.registry import Registry

_HOUR_US = 3_600_000_000


def chosen_now(models: Path, settings: SignalSettings) -> Chosen:
    """What the registry's files say.

    Raises:
        ModelError: one of them is damaged.
    """
    registry = Registry(models)
    history, challenger = registry.history(), registry.challenger()
    if not history:
        return Chosen("", challenger)
    newest = history[-1]
    # The first champion has nobody to fall back on, and so no reason to be let in gently later
    # than others: every promotion that says when it was made begins reduced.
    until_us = newest.ts_us + round(settings.new_champion_hours * _HOUR_US) if newest.ts_us else 0
    return Chosen(newest.sha256, challenger, settings.new_champion_share, until_us)


class ChampionWatch:
    """Calls give what to go on with, once per change."""

    def __init__(
        self,
        bus: Bus,
        models: Path,
        settings: SignalSettings,
        on_problem: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """Listen from now on; read the files after this."""
        self._models, self._settings, self._on_problem = models, settings, on_problem
        self._ready: Loaded | None = None
        self._subscriber = bus.subscribe(CONTROL, 0)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="champion", daemon=True)
        self._thread.start()

    def __call__(self) -> Loaded | None:
        """The models of the newest change; None when nothing changed since the last call."""
        if self._ready is None:
            return None
        ready, self._ready = self._ready, None
        return ready

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._thread.join(timeout=5.0)
        self._subscriber.close()

    def _listen(self) -> None:
        while not self._closing.is_set():
            message = self._subscriber.next(0.2)
            if message and codec.decode(CONTROL.name, message.payload).kind == "models":
                self._prepare()

    def _prepare(self) -> None:
        try:
            self._ready = open_models(self._models, chosen_now(self._models, self._settings))
        except TickhouseError as error:
            text = f"models not changed over: {error}"
            self._on_problem(text)
            logging.getLogger(__name__).error(text)
