"""Feature rows to probabilities, with the models that hold at that point of the stream."""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.contracts.tick import TickMarker
from core.metrics import Histograms
from models.serving.in_use import Chosen, Loaded, open_models, open_named
from models.serving.predictor import Predictions, Predictor
from strategies.edge import edge_bp
from streams.records import ModelEvent, Predicted, SaidByName, Sampled

#: Rows of a feed that are kept for members that look back; every model sees the same ones.
PAST_ROWS = 63

Rows = npt.NDArray[np.float32]


class ModelState(NamedTuple):
    """For the recovery store: which model holds in a replay, and the last rows of each feed.

    `events`: what has happened to the models and is not yet in a row (member, kind, detail).
    """

    model: str
    past: dict[str, Rows]
    events: tuple[tuple[str, str, str], ...] = ()


class ModelInUse:
    """Predicts with the model of the last `model` marker, or with what `changes` hands over."""

    def __init__(
        self,
        models: Path,
        histograms: Histograms,
        chosen: Chosen,
        state: ModelState | None = None,
        changes: Callable[[], Loaded | None] = lambda: None,
        on_problem: Callable[[str], None] = lambda _text: None,
        named: Sequence[str] = (),
    ) -> None:
        """Predict with the chosen models at once.

        Args:
            models: the registry's directory.
            state: of before a restart, after which the same models are no news.
            changes: other models to go on with from the next batch on, once each.
            on_problem: told when the state of the models changes; "" when all is well again.
            named: beginnings of hashes of models that strategies name; these never change.

        Raises:
            ModelError: the champion cannot be loaded, or a named one, or a member of it.
        """
        self._named = open_named(models, named)
        self._models, self._histograms, self._changes = models, histograms, changes
        self._on_problem = on_problem
        self._past = dict(state.past) if state else {}
        self._events: list[tuple[str, str, str]] = []
        self._silent: set[str] = set()
        self._use(open_models(models, chosen))
        if state is not None and state.model == chosen.champion:
            self._events = list(state.events)

    @property
    def model(self) -> str:
        """SHA-256 of the model in use; "" when nothing predicts."""
        return self._loaded.chosen.champion

    @property
    def state(self) -> ModelState:
        """For the recovery store."""
        return ModelState(self.model, dict(self._past), tuple(self._events))

    def marker(self, marker: TickMarker) -> None:
        """Change over at a `model` marker: rows before it and after it are never mixed."""
        if marker.kind == "model" and marker.model != self.model:
            self._use(open_models(self._models, Chosen(marker.model)))

    def rows(self, sampled: Sampled) -> Predicted:
        """The rows with predictions, or without when nothing predicts."""
        changed = self._changes()
        if changed is not None:
            self._use(changed)
        rows = sampled.features
        if len(rows) == 0:
            return Predicted(sampled, self.model, None)
        past = self._remember(f"{sampled.source}.{sampled.symbol}", rows)
        by_name = tuple(_said(model, one, rows, past) for model, one in self._named)
        predictor = self._loaded.champion
        if predictor is None:
            return Predicted(sampled, "", None, events=self._take_events(sampled), named=by_name)
        started = time.perf_counter_ns()
        predictions = predictor.predict(rows, past)
        elapsed = time.perf_counter_ns() - started
        self._histograms.record("predict", elapsed // len(rows), len(rows))
        self._notice_silence(predictor, predictions, past)
        manifest = predictor.manifest
        edge = edge_bp(rows, predictions.probabilities, manifest.gains, manifest.horizon_s)
        return Predicted(
            sampled=sampled, model=self.model, predictions=predictions, edge_bp=edge,
            share=self._share(sampled), shadow=self._shadow(rows, past),
            events=self._take_events(sampled), named=by_name,
        )  # fmt: skip

    def _use(self, loaded: Loaded) -> None:
        self._loaded, self._silent = loaded, set()
        if loaded.chosen.champion:
            self._events.append(("", "in use", f"shadow: {loaded.chosen.challenger or 'none'}"))
        for member, text in loaded.problems:
            self._events.append((member, "missing", text))
            logging.getLogger(__name__).warning("model %s: %s", self.model[:12], text)
        self._on_problem("; ".join(text for _, text in loaded.problems))

    def _remember(self, feed: str, rows: Rows) -> Rows:
        """The feed's rows before these; these are remembered for the next."""
        past = self._past.get(feed, rows[:0])
        kept = np.concatenate([past, rows[-PAST_ROWS:]]) if len(rows) < PAST_ROWS else rows
        self._past[feed] = kept[-PAST_ROWS:].copy()
        return past

    def _shadow(self, rows: Rows, past: Rows) -> tuple[str, Predictions] | None:
        challenger = self._loaded.challenger
        if challenger is None:
            return None
        return self._loaded.chosen.challenger, challenger.predict(rows, past)

    def _share(self, sampled: Sampled) -> float:
        chosen = self._loaded.chosen
        reduced = int(sampled.time_msc[-1]) * 1000 < chosen.reduced_until_us
        return chosen.reduced_share if reduced else 1.0

    def _notice_silence(self, predictor: Predictor, predictions: Predictions, past: Rows) -> None:
        """Once per member: a loaded one had no number in its output, with enough rows before."""
        if not predictions.absent.any() or len(past) < predictor.past:
            return
        bits = int(np.bitwise_or.reduce(predictions.absent))
        for index, name in enumerate(predictor.names):
            known = name in predictor.problems or name in self._silent
            if bits >> index & 1 and not known:
                self._silent.add(name)
                text = f"member {name} gave no number: the others go on without it"
                self._events.append((name, "silent", text))
                self._on_problem(text)
                logging.getLogger(__name__).warning("model %s: %s", self.model[:12], text)

    def _take_events(self, sampled: Sampled) -> tuple[ModelEvent, ...]:
        if not self._events:
            return ()
        taken, self._events = self._events, []
        # Of a replay's slice, so that every shard tells the same of one model.
        began_msc = sampled.time_msc[0] if sampled.began_msc is None else sampled.began_msc
        first_us = int(began_msc) * 1000
        return tuple(ModelEvent(first_us, self.model, *event) for event in taken)


def _said(model: str, predictor: Predictor, rows: Rows, past: Rows) -> SaidByName:
    predictions, manifest = predictor.predict(rows, past), predictor.manifest
    edge = edge_bp(rows, predictions.probabilities, manifest.gains, manifest.horizon_s)
    return SaidByName(model, predictions, edge)
