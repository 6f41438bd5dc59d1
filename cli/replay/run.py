"""One replay on one home: its directory, its processes, and its result.

Everything a run owns besides warehouse rows lies in `<home>/runs/<run_id>` and is made anew by
each replay of it; the warehouse's rows have deterministic keys and replace themselves.
"""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.bus import select
from adapters.bus.base import Bus
from adapters.clickhouse import client as warehouse
from adapters.clickhouse import instruments
from adapters.clickhouse.finish import finish
from adapters.clickhouse.migrate import apply
from adapters.clickhouse.rows import quarantine_columns, run_columns
from adapters.clickhouse.writer import Writer
from cli.replay import bus as replay_bus
from cli.replay import result as replay_result
from cli.replay.plan import ReplayOptions, ReplayPlan, needs_figures, write
from cli.replay.progress import Progress
from cli.stack import sessions
from cli.stack.embedded import choose_ports, embedded_stack, stack_environment, urls
from cli.stack.process_state import ProcessState
from cli.stack.processes import Stack
from cli.stack.warehouse_setup import shaping
from core import settings
from core.clock import SystemClock
from core.contracts import codec
from core.contracts.operations import Control
from core.controls import desks, own_features
from core.errors import TickhouseError, UnavailableError
from core.home_users import SETUP, sign_in
from core.sections import ModelSettings
from core.settings import Settings
from core.topics import CONTROL
from execution.risk import run_rules
from execution.risk.limits_file import freeze
from features.catalog import FEATURE_SET_HASH, NAMES
from models.monitoring.table import write_models
from models.serving.card import Span
from models.serving.registry import Registry
from streams import shards

_STALLED_AFTER_S = 300.0
_DRAIN_S = 60
_PATIENCE_S = 60.0
_POLL_S = 0.2  # each poll takes from the cores that the replay needs

T = TypeVar("T")


class ReplayRun:
    """Prepares, watches and sums up one replay."""

    def __init__(
        self, plan: ReplayPlan, options: ReplayOptions, config: Settings, *, simulated: bool
    ) -> None:
        self.plan, self.options = plan, options
        self.simulated, self.model = simulated, options.model
        self.directory = config.home_path / "runs" / plan.run_id
        self.train_s = self.train_cpu_s = self.stream_s = 0.0
        self._collecting_since = 0.0
        run = msgspec.structs.replace(
            config.run,
            run_id=plan.run_id,
            mode="replay",
            account=plan.run_id,
            strategy=options.strategy,
            session_id="",
        )
        # A replay has a bus and a terminal of its own, whatever live trading is connected to.
        bus = replay_bus.of_run(config.bus, plan.run_id)
        terminal = msgspec.structs.replace(config.terminal, kind="simulated", address="")
        needed = needs_figures(plan.limits.content, options.strategies)
        published = config.risk.enabled and needed
        risk = msgspec.structs.replace(config.risk, published=published)
        self.settings = msgspec.structs.replace(
            config, run=run, bus=bus, terminal=terminal, risk=risk
        )
        self._bus: Bus | None = None

    def stack(self) -> Stack:
        """The processes, none started; the run's directory is made anew by `start`."""
        home, ports = self.settings.home_path, choose_ports()
        environment = stack_environment(self.settings, home, ports)
        plan_file = str(self.directory / "plan.json")
        processes = embedded_stack(
            self.settings,
            home,
            ports,
            market=("--market", "recorded", "--plan", plan_file),
            state=self.directory,
            drain_s=_DRAIN_S,
        )
        processes = [
            msgspec.structs.replace(spec, ends_itself=spec.name in self._ending())
            for spec in processes
        ]
        self.settings = settings.load(environment)  # every one of them
        where = urls(self.settings, ports)
        return Stack(home, environment, processes, f"replay {self.plan.run_id}", where)

    def start(self, stack: Stack) -> None:
        """Start everything; the schema is in place before anything writes."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        replay_bus.empty(self.settings.bus)
        write(self.plan, self.directory, self.settings.collector.slice_ticks)
        limits = self.plan.limits
        freeze(limits.content, self.directory, limits.entry)
        run_rules.freeze(self.plan.rules, self.directory)
        desks.freeze(self.options.strategies, self.directory)
        own_features.freeze(self.settings.home_path, self.plan.run_id)
        self._kept = sessions.contents(self.settings, limits.content)
        self._session = sessions.described(self.settings, self._kept, limits.entry)
        for marker in (self.settings.home_path / "run").glob("crashed.*"):
            marker.unlink()
        stack.start_all(on_ready=self._on_ready)
        self._bus = select.connect(self.settings.bus, "replay")

    def wait_for_training_part(self, stack: Stack, progress: Progress) -> None:
        """Until all features before the cut, and the ticks that answer them, are stored."""
        _import_training()
        answers = self.bus.subscribe(CONTROL)
        stalled, missing = _Stall(), {*self._flow("ticks"), *self._flow("signals")}
        while missing:
            message = answers.next(_POLL_S)
            control = codec.decode(CONTROL.name, message.payload) if message else None
            if isinstance(control, Control) and control.kind == "stored":
                missing.discard(control.by)
                continue
            stalled.check(progress.update(self.bus, self.plan), stack.state(health=False))
        answers.close()

    def train(self, progress: Progress) -> None:
        """Train on the part before the cut; the model is only used after it."""
        from models.training.own_rows import asked_for
        from models.training.train import train

        began, worked = time.monotonic(), time.process_time()
        span = Span(self.plan.first_msc * 1000, self.plan.cut_msc * 1000)
        models = self.settings.home_path / "models"

        def fit_and_register(client: Client) -> str:
            card = train(
                client,
                self.plan.run_id,
                span,
                _without_network(self.settings.models),
                models,
                self.simulated,
                report,
                sample_ms=self.settings.features.sample_ms,
                features=asked_for(self.settings),
            )
            write_models(client, Registry(models))
            return card.sha256

        with progress.training() as report:
            self.model = self._patiently(fit_and_register)
        self.train_s = time.monotonic() - began
        self.train_cpu_s = time.process_time() - worked

    def announce_model(self) -> None:
        """Let the collector go on; from here the stream predicts with the model, if any."""
        clock_us = SystemClock().now_us()
        control = Control("model", self.plan.run_id, clock_us, "replay", "cut", self.model)
        self.bus.publish(CONTROL, "model", codec.encode(control), f"{self.plan.run_id}.model")

    def follow(self, stack: Stack, progress: Progress) -> None:
        """Until every process that ends by itself has ended and all rows are stored."""
        stalled = _Stall()
        ending = self._ending()
        while True:
            states = stack.state(health=False)
            if all(states[name].ended for name in ending):
                break
            stalled.check(progress.update(self.bus, self.plan), states)
            time.sleep(_POLL_S)
        for name in self._flow("executions"):
            stack.stop(name)
        progress.update(self.bus, self.plan)
        self.bus.close()
        self.stream_s = time.monotonic() - self._collecting_since

    def result(self, stack: Stack, wall_s: float) -> dict[str, Any]:
        """The object of `--json`."""
        finish(sign_in(self.settings.clickhouse, SETUP), self.settings.home_path, "replay")
        ran = replay_result.Ran(
            plan=self.plan,
            settings=self.settings,
            strategy=self.options.strategy,
            model=self.model,
            journal=self.journal,
            stream_s=self.stream_s,
            train_s=self.train_s,
            train_cpu_s=self.train_cpu_s,
        )
        result = self._patiently(lambda client: replay_result.build(ran, client))
        result["total_s"] = round(wall_s, 3)
        self._write_run(result)
        return result

    def keep(self, result: dict[str, Any]) -> None:
        """Keep the result; drop the bus's store, which is large and no longer needed."""
        (self.directory / "result.json").write_text(json.dumps(result, indent=2))
        if result["reconciled"]:
            shutil.rmtree(self.directory / "bus", ignore_errors=True)
            shutil.rmtree(self.directory / "state", ignore_errors=True)
            replay_bus.discard(self.settings.bus)

    @property
    def bus(self) -> Bus:
        """The connection made by `start`."""
        assert self._bus is not None
        return self._bus

    @property
    def journal(self) -> Path:
        """Execution's journal of this run."""
        return self.directory / "journal"

    def _ending(self) -> tuple[str, ...]:
        """Those that end by themselves when their part of the recording is through."""
        return "collector", *self._flow("ticks"), *self._flow("signals"), "execution"

    def _flow(self, flow: str) -> Sequence[str]:
        """Its processes."""
        return shards.names(f"streams.{flow}", shards.of_flow(flow, self.settings.streams))

    def _on_ready(self, name: str) -> None:
        if name == "warehouse":
            self._prepare_warehouse()
        if name == "collector":
            self._collecting_since = time.monotonic()

    def _prepare_warehouse(self) -> None:
        self._patiently(lambda client: apply(client, NAMES))
        writer = Writer(sign_in(self.settings.clickhouse, SETUP))
        for batch in self.plan.unparsed:
            writer.insert("tick_quarantine", quarantine_columns(batch, 0))
        instruments.store(writer, {(feed.source, feed.symbol) for feed in self.plan.feeds})
        writer.close()
        self._write_session("running")

    def _write_session(self, status: str) -> None:
        """A replay's session is its run; its times are the market's."""
        first_us, last_us = self.plan.first_msc * 1000, self.plan.last_msc * 1000
        session = msgspec.structs.replace(
            self._session, ts_start_us=first_us, ts_end_us=last_us, model=self.model, status=status
        )
        sessions.write(self.settings, self.settings.clickhouse.url, session, self._kept)

    def _patiently(self, action: Callable[[Client], T]) -> T:
        """Do something with the warehouse, again if it dies meanwhile: it will be restarted."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                with warehouse.errors_translated():
                    return action(warehouse.connect(sign_in(self.settings.clickhouse, SETUP)))
            except UnavailableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _write_run(self, result: dict[str, Any]) -> None:
        plan = self.plan
        first_us = plan.first_msc * 1000
        last_us = plan.last_msc * 1000
        status = "reconciled" if result["reconciled"] else "not reconciled"
        columns = run_columns(
            self.settings.run,
            span_us=(first_us, last_us),
            status=status,
            inputs=json.dumps(dict(zip(plan.inputs, plan.digests, strict=True))),
            settings=shaping(self.settings),
            feature_set_hash=FEATURE_SET_HASH,
            model=self.model,
        )
        writer = Writer(sign_in(self.settings.clickhouse, SETUP))
        writer.insert("run", columns)
        writer.close()
        self._write_session(status)


def _without_network(models: ModelSettings) -> ModelSettings:
    """A replay waits for its model: the network, most of a training's time, is left to `train`."""
    members = tuple(m for m in models.members if m != "sequence") or models.members
    return msgspec.structs.replace(models, members=members)


def _import_training() -> None:
    """Begin to import XGBoost and what it brings, three seconds' work, while we wait."""
    # OpenMP threads that spin at barriers starve the processes beside us; read when loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    threading.Thread(target=import_module, args=("models.training.train",), daemon=True).start()


class _Stall:
    """A replay in which nothing moves is broken; waiting for ever would hide it."""

    def __init__(self) -> None:
        self._before: object = None
        self._since = time.monotonic()

    def check(self, progress: object, states: Mapping[str, ProcessState]) -> None:
        fatal = [state.name for state in states.values() if state.state == "fatal"]
        if progress != self._before:
            self._before, self._since = progress, time.monotonic()
        if fatal or time.monotonic() - self._since > _STALLED_AFTER_S:
            lines = "\n".join(
                f"  {s.name}: {s.state} {s.detail} ({s.log})" for s in states.values()
            )
            raise TickhouseError(f"the replay stands still; its processes:\n{lines}")
