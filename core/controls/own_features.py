"""Where a process loads a person's own features from: the home, a run's copy, or as signed."""

from pathlib import Path

from core import feature_set
from core.clock import Clock
from core.controls import store
from core.controls.approvals import controls_of, is_signed
from core.controls.entry import sha256
from core.controls.fold import Controls
from core.settings import Settings


def folder_of(settings: Settings, clock: Clock) -> Path:
    """The folder. Where controls are, those that were signed, outside the home; no others.

    A replay takes its run's own copy (see `freeze`), a backtest the home's.

    Raises:
        SettingsError: a signed one is no text.
    """
    home, mode = settings.home_path, settings.run.mode
    if mode == "replay":
        return _of_run(home, settings.run.run_id)
    if not is_signed(settings):
        return home / feature_set.FOLDER
    controls = controls_of(settings, clock)
    text = feature_set.packed(_signed(controls, max(clock.now_us(), controls.newest_us)))
    place = store.place_of(home, settings.controls)
    return feature_set.unpacked(text, place.trust / feature_set.FOLDER / sha256(text)[:16])


def content(settings: Settings, clock: Clock) -> bytes:
    """What a session keeps of them; b"" without any.

    Raises:
        SettingsError: one is no text.
    """
    return feature_set.packed(feature_set.of_folder(folder_of(settings, clock)))


def freeze(home: Path, run_id: str) -> None:
    """Keep a replay's own copy, so that a restart on its way reads the same.

    Raises:
        SettingsError: one is no text.
    """
    text = feature_set.packed(feature_set.of_folder(home / feature_set.FOLDER))
    feature_set.unpacked(text, _of_run(home, run_id))


def edited(controls: Controls, home: Path, now_us: int) -> str:
    """What to say of files in the home that are not as they were signed, or never were; or ""."""
    here, signed = feature_set.of_folder(home / feature_set.FOLDER), _signed(controls, now_us)
    differing = sorted({name for name, _ in {*here.items()} - {*signed.items()}})
    if not differing:
        return ""
    return (
        f"own features in {home / feature_set.FOLDER} are not as they were signed and take no"
        f" effect ({', '.join(differing)}): have them signed (tickhouse controls approve feature"
        f" {differing[0]} --days 90 --by WHO --reason TEXT), or take them away"
    )


def _signed(controls: Controls, now_us: int) -> dict[str, bytes]:
    signed = controls.subjects("feature", now_us)
    bodies = {version.entry.subject: controls.content(version) for version in signed}
    return {name: body for name, body in bodies.items() if body is not None}


def _of_run(home: Path, run_id: str) -> Path:
    return home / "runs" / run_id / feature_set.FOLDER
