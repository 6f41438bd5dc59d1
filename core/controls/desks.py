"""Which desk holds in a home: written, or signed where controls are; or one strategy alone."""

from pathlib import Path

from msgspec.structs import replace

from core import desk, durable
from core.clock import Clock
from core.controls.approvals import controls_of, is_signed, strategies_folder
from core.controls.fold import Controls
from core.desk import DESK, Desk
from core.errors import InputError, SettingsError
from core.settings import Settings


def in_force(settings: Settings, clock: Clock) -> Desk:
    """The strategies that a process of these settings runs.

    A replay or backtest takes its run's own copy (see `freeze`); live the signed version holds
    where there are controls, else the home's file.

    Raises:
        InputError: the file is missing, or has a mistake.
        SettingsError: controls are signed, and no desk is.
    """
    if (named := _by_name(settings.run.strategy)) is not None:
        return named
    if settings.run.mode in ("replay", "backtest"):
        return frozen(settings, settings.home_path / "runs" / settings.run.run_id)
    if not is_signed(settings):
        return read(desk.path_in(settings.home_path))
    controls = controls_of(settings, clock)
    version = controls.version("desk", "", max(clock.now_us(), controls.newest_us))
    content = controls.content(version) if version else None
    if content is None:
        raise SettingsError(
            f"{desk.path_in(settings.home_path)}: no signed version of the desk holds; have it"
            " signed: tickhouse controls approve desk --by WHO --reason TEXT"
        )
    return desk.parse(content, "the signed desk")


def read(path: Path) -> Desk:
    """The desk of a file.

    Raises:
        InputError: there is none, or it has a mistake.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(str(path), f"{error.strerror}; name a desk file") from error
    return desk.parse(content, str(path))


def frozen(settings: Settings, directory: Path) -> Desk:
    """A run's own copy of its desk, so that a restart on its way reads the same."""
    return _by_name(settings.run.strategy) or read(desk.path_in(directory))


def freeze(one: Desk, directory: Path) -> None:
    """Keep a run's own copy."""
    if not one.alone:
        durable.write(desk.path_in(directory), one.content)


def edited(controls: Controls, home: Path, now_us: int) -> str:
    """What to say of a desk file that is not as it was signed; or ""."""
    version, path = controls.version("desk", "", now_us), desk.path_in(home)
    if version is None or not path.exists() or path.read_bytes() == controls.content(version):
        return ""
    return (
        f"{path}: not as the desk was signed (entry {version.entry.number}), and does not run: the"
        " signed version does; have it signed (tickhouse controls approve desk), or put it back"
    )


def folder_of(settings: Settings, use: str, clock: Clock) -> Path:
    """Where a strategy of the desk is loaded from.

    Raises:
        SettingsError: it is a person's own and no signed version of it holds.
    """
    return strategies_folder(replace(settings, run=replace(settings.run, strategy=use)), clock)


def _by_name(name: str) -> Desk | None:
    """What `run.strategy` says by itself; None: the file does."""
    if "," in name:
        return desk.of_names(name)
    return None if name == DESK else desk.one_alone(name)
