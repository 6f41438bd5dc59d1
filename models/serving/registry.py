"""Models on disk: `<sha256>.model` with `<sha256>.json` and its members' `<sha256>.onnx`.

Files are written under another name, synced and renamed, the card last: a model that is listed
is complete. `champion.json` is the history of promotions, newest last, so rolling back is
dropping its end.
"""

from pathlib import Path

import msgspec

from core import checked_json, durable
from core.errors import ModelError
from models.serving.artifact import Artifact, load, read_card, require_complete
from models.serving.card import ModelCard
from models.serving.manifest import name_of
from models.training import booster


class Promotion(msgspec.Struct, frozen=True):
    """A person made a model champion."""

    sha256: str
    by: str
    simulated: bool
    ts_us: int = 0  # when; 0 in files of before this was kept


class Registry:
    """The models of one home.

    A simulated model may be champion, for simulated use: whoever trades real money must check
    `card.simulated` of what `champion` returns.

    Args:
        directory: HOME/models; created when something is saved.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def save(self, model: Artifact) -> Path:
        """Write a model; saving it again changes nothing. Returns the manifest's path."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for onnx in model.members.values():
            durable.write(self.directory / f"{name_of(onnx)}.onnx", onnx)
        for name, trees in model.boosters.items():
            booster.save(self.directory, name_of(model.members[name]), trees)
        path = self.directory / f"{model.card.sha256}.model"
        durable.write(path, model.manifest)
        durable.write(
            path.with_suffix(".json"), msgspec.json.format(msgspec.json.encode(model.card))
        )
        return path

    def load(self, sha256: str) -> Artifact:
        """A verified model by its hash or an unambiguous beginning of it.

        Raises:
            ModelError: unknown, ambiguous, corrupt, or made for another feature set.
        """
        return load(self.directory, self.resolve(sha256))

    def resolve(self, beginning: str) -> str:
        """The full hash.

        Raises:
            ModelError: no model begins so, or several do.
        """
        matching = [
            p.stem for p in self._card_paths() if beginning and p.stem.startswith(beginning)
        ]
        if len(matching) != 1:
            problem = f"{len(matching)} models begin" if matching else "no model begins"
            raise ModelError(f"{problem} with {beginning!r}; see: tickhouse models list")
        return matching[0]

    def cards(self) -> list[ModelCard]:
        """Every model's card, by hash.

        Raises:
            ModelError: a card is damaged.
        """
        return [read_card(path) for path in self._card_paths()]

    def promote(self, sha256: str, by: str, ts_us: int = 0) -> ModelCard:
        """Make a model champion, after verifying it and every member of it.

        Raises:
            ModelError: unknown, ambiguous, corrupt, incomplete, or made for another feature set.
        """
        card = require_complete(self.load(sha256)).card
        history = self.history()
        if not history or history[-1].sha256 != card.sha256:
            self._write_history([*history, Promotion(card.sha256, by, card.simulated, ts_us)])
        if self.challenger() == card.sha256:
            self.appoint("")
        return card

    def appoint(self, sha256: str) -> ModelCard | None:
        """Let a model predict in the champion's shadow, after verifying it; "" for none.

        Raises:
            ModelError: unknown, ambiguous, corrupt, incomplete, or made for another feature set.
        """
        card = require_complete(self.load(sha256)).card if sha256 else None
        self.directory.mkdir(parents=True, exist_ok=True)
        durable.write(self._challenger_path, (card.sha256 if card else "").encode())
        return card

    def challenger(self) -> str:
        """The SHA-256 of the model in the champion's shadow; "" when there is none."""
        try:
            return self._challenger_path.read_text().strip()
        except FileNotFoundError:
            return ""

    def champion(self) -> Artifact | None:
        """The verified champion; None when no model was ever promoted.

        Raises:
            ModelError: the champion is missing, corrupt, or made for another feature set.
        """
        history = self.history()
        return load(self.directory, history[-1].sha256) if history else None

    def rollback(self) -> ModelCard | None:
        """Make the champion before this one champion again; None when there was none.

        Raises:
            ModelError: there is no champion, or the earlier one is missing or corrupt.
        """
        history = self.history()
        if not history:
            raise ModelError("no champion to roll back from; see: tickhouse models list")
        earlier = history[:-1]
        card = load(self.directory, earlier[-1].sha256).card if earlier else None
        self._write_history(earlier)
        return card

    def history(self) -> list[Promotion]:
        """Promotions still in force, the champion last.

        Raises:
            ModelError: champion.json is damaged.
        """
        path = self._champion_path
        try:
            return checked_json.decode(path.read_bytes(), list[Promotion])
        except FileNotFoundError:
            return []
        except msgspec.DecodeError as error:
            raise ModelError(
                f"{path}: damaged ({error}); delete it and promote a model again"
            ) from error

    @property
    def _champion_path(self) -> Path:
        return self.directory / "champion.json"

    @property
    def _challenger_path(self) -> Path:
        return self.directory / "challenger"

    def _card_paths(self) -> list[Path]:
        cards = self.directory.glob("*.json")
        return sorted(path for path in cards if path != self._champion_path)

    def _write_history(self, history: list[Promotion]) -> None:
        durable.write(self._champion_path, msgspec.json.encode(history))
