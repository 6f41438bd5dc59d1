"""Life for a newcomer: `up` on the simulated market brings a model of its planted edge by itself.

The model is trained beside the stack, once for all homes of a person, and made champion of homes
that have none and trade nothing real. Whatever a person does with models afterwards stands: only
a home without a champion gets one. It is marked simulated, so it never trades real money.
"""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console

from cli.login import sign
from cli.stack.model_change import tell_streams, tell_warehouse
from cli.stack.simulated_market import is_embedded
from cli.stack.supervisor_config import log_of
from core import identity
from core.clock import SystemClock
from core.controls.desks import in_force
from core.controls.store import is_begun, place_of
from core.errors import ModelError, TickhouseError
from core.settings import Settings
from models.serving.card import ModelCard
from models.serving.registry import Registry
from models.training import planted_cache

#: Threads that wait at a barrier sleep instead of spinning: the stack beside needs the cores.
_QUIETLY = {"OMP_WAIT_POLICY": "passive"}
BY = "tickhouse up"  # in whose name it is champion


def comes(settings: Settings) -> bool:
    """Whether this home gets the model: simulated market, demo, and nobody has a say in it yet."""
    home = settings.home_path
    simulated = is_embedded(settings) and settings.run.mode == "demo"
    traded = (home / "execution").exists() and not (home / "account.log").exists()
    governed = identity.exists(identity.path_in(home)) or is_begun(
        place_of(home, settings.controls)
    )
    if not simulated or traded or governed:
        return False
    if not any(one.follows_model for one in in_force(settings, SystemClock()).strategies):
        return False
    return not Registry(home / "models").history()


def drop_outlived(settings: Settings) -> None:
    """Take back what an earlier version brought and this one cannot read: another comes."""
    registry = Registry(settings.home_path / "models")
    history = registry.history()
    if len(history) == 1 and history[0].by == BY:
        try:
            registry.champion()
        except ModelError:
            registry.rollback()


@contextlib.contextmanager
def bringing(
    settings: Settings, environment: Mapping[str, str], console: Console
) -> Iterator[None]:
    """While this runs the model comes, if it is not there: a thread waits for its training."""
    given_up = threading.Event()
    training = _Training(settings, environment)
    waiting = threading.Thread(
        target=_bring, args=(training, settings, console, given_up), name="planted-edge"
    )
    waiting.start()
    try:
        yield
    finally:
        given_up.set()
        training.stop()
        waiting.join()


class _Training:
    """A process that trains, for as long as nobody stops it."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        self.folder = planted_cache.folder(settings)
        self.log = log_of(settings.home_path, "planted-edge")
        self._process: subprocess.Popen[bytes] | None = None
        if self.trained() is None:
            self._start(environment)

    def trained(self) -> ModelCard | None:
        """The cache's model; None before it is complete."""
        cards = Registry(self.folder).cards()
        return cards[0] if cards else None

    def wait(self) -> ModelCard | None:
        """Until it is trained; None when that failed or was stopped."""
        if self._process is not None:
            self._process.wait()
        return self.trained()

    def stop(self) -> None:
        """End it now: the next start trains again."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    def _start(self, environment: Mapping[str, str]) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = (sys.executable, "-m", "models.training.planted", "--to", str(self.folder))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**environment, **_QUIETLY}, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip


def _bring(
    training: _Training, settings: Settings, console: Console, given_up: threading.Event
) -> None:
    try:
        card = training.wait()
        if given_up.is_set():
            return
        if card is None:
            console.print(f"The planted-edge model was not trained: see {training.log}")
            return
        _promote(settings, training.folder, card, console)
    except TickhouseError as error:
        console.print(f"The planted-edge model could not be brought: {error}", markup=False)


def _promote(settings: Settings, folder: Path, card: ModelCard, console: Console) -> None:
    if not card.simulated:
        raise ModelError(f"{folder}: not a simulated model; remove that folder")
    registry, clock = Registry(settings.home_path / "models"), SystemClock()
    registry.save(Registry(folder).load(card.sha256))
    if not comes(settings):  # a person was quicker
        return
    sign(settings, clock, BY, "promote", card.sha256, reason="planted edge of the simulated market")
    registry.promote(card.sha256, BY, clock.now_us())
    tell_warehouse(registry, settings, console)
    tell_streams(settings, BY, "planted edge of the simulated market", console)
    console.print("Simulated market, planted edge: its model predicts now; nothing here is real.")
