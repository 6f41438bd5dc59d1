"""What people approve besides limits: strategies, settings, exits; what each is in bytes."""

import logging
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path

import msgspec
from msgspec.structs import replace

from core import identity
from core.clock import Clock
from core.controls import signing, store
from core.controls.entry import Kind, sha256
from core.controls.fold import Controls
from core.errors import InputError, SettingsError
from core.sections import ExitSettings
from core.settings import Settings
from core.strategy_set import GROUP, SUFFIX, sources, unpack

#: Sections that decide what is traded, how much and where.
DECIDING = ("features", "signals", "exits", "execution", "admission", "collector")
_SHIPPED = b"shipped "
_log = logging.getLogger(__name__)


def shipped_content(name: str) -> bytes:
    """What is signed of a strategy that ships: its name and our version."""
    return _SHIPPED + f"{name}, tickhouse {_version()}\n".encode()


def settings_content(settings: Settings) -> bytes:
    """The settings that decide, and the terminal they are for, as JSON to read and sign."""
    terminal = settings.terminal
    shaped = {name: getattr(settings, name) for name in DECIDING} | {
        "strategy": settings.run.strategy,
        "account": settings.run.account,
        "terminal": {
            "kind": terminal.kind, "login": terminal.login, "server": terminal.server,
            "source": terminal.source, "symbols": terminal.symbols,
        },
    }  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(shaped, order="sorted")) + b"\n"


def exits_content(settings: Settings) -> bytes:
    """How positions are left, as JSON to read and sign."""
    return msgspec.json.format(msgspec.json.encode(settings.exits, order="sorted")) + b"\n"


def holds(controls: Controls, kind: Kind, subject: str, content: bytes, now_us: int) -> bool:
    """Whether exactly this is approved at a time."""
    version = controls.version(kind, subject, now_us)
    return version is not None and version.entry.content == sha256(content)


def is_signed(settings: Settings) -> bool:
    """Whether only signed versions take effect here; nothing is in a replay or a backtest."""
    if settings.run.mode in ("replay", "backtest"):
        return False
    place = store.place_of(settings.home_path, settings.controls)
    return identity.exists(identity.path_in(settings.home_path)) or store.is_begun(place)


def controls_of(settings: Settings, clock: Clock) -> Controls:
    """What was signed, for who only asks whether an approval holds and judges no limits."""
    place = store.place_of(settings.home_path, settings.controls)
    return signing.current(place, lambda *_: True, clock)


def with_signed_exits(settings: Settings, clock: Clock) -> Settings:
    """The settings with the exits that were signed; the shipped ones where none were.

    Raises:
        InputError: those that were signed cannot be read.
    """
    if not is_signed(settings):
        return settings
    controls, now = controls_of(settings, clock), clock.now_us()
    if problem := edited_exits(controls, settings.exits, now):
        _log.error("%s", problem)
    return replace(settings, exits=_signed_exits(controls, now)[0])


def edited_exits(controls: Controls, exits: ExitSettings, now_us: int) -> str:
    """What to say of exits in settings that are not those that were signed; or ""."""
    held, number = _signed_exits(controls, now_us)
    differing = [
        f"{name} {value:g}, where {getattr(held, name):g} holds"
        for name, value in msgspec.structs.asdict(exits).items()
        if value != getattr(held, name)
    ]
    if not differing:
        return ""
    whose = f"those of entry {number}" if number else "those that ship, for none are signed"
    return (
        f"exits of the settings are not signed and not obeyed ({', '.join(differing)}): {whose}"
        " hold; have them signed (tickhouse controls approve exits), or put the settings back"
    )


def _signed_exits(controls: Controls, now_us: int) -> tuple[ExitSettings, int]:
    """What holds, and the number of its entry; 0 for those that ship."""
    version = controls.version("exits", "", max(now_us, controls.newest_us))
    if version is None:
        return ExitSettings(), 0
    number = version.entry.number
    try:
        return msgspec.json.decode(controls.content(version) or b"", type=ExitSettings), number
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = f"{error}; sign others: tickhouse controls approve exits"
        raise InputError(f"signed exits, entry {number}", problem) from error


def strategies_folder(settings: Settings, clock: Clock) -> Path:
    """Where the settings' strategy is loaded from, with what it imports: outside the home once
    signed.

    Raises:
        SettingsError: the strategy is a person's own and no signed version of it holds.
    """
    home, name = settings.home_path, settings.run.strategy
    own = home / "strategies"
    if not is_signed(settings):
        return own
    controls = controls_of(settings, clock)
    version = controls.version("strategy", name, max(clock.now_us(), controls.newest_us))
    content = controls.content(version) if version else None
    if content is not None and not content.startswith(_SHIPPED):
        place = store.place_of(home, settings.controls)
        folder = place.trust / "strategies" / sha256(content)[:16]
        unpack(content, name, folder)  # where who owns the home cannot change it between two looks
        return folder
    if _is_own(own, name):
        raise SettingsError(
            f"{own / name}.py: no signed version of this strategy holds; have it signed: tickhouse"
            f" controls approve strategy {name} --days 90 --by WHO --reason TEXT"
        )
    return own


def strategy_holds(controls: Controls, home: Path, name: str, now_us: int) -> bool:
    """Whether a strategy is approved at a time, exactly as it lies in the home."""
    version = controls.version("strategy", name, now_us)
    content = controls.content(version) if version else None
    if content is None:
        return False
    if content.startswith(_SHIPPED):
        return (
            content == shipped_content(name) and not (home / "strategies" / f"{name}.py").exists()
        )
    return not _differing(home, name, content)


def edited_strategies(controls: Controls, home: Path, now_us: int) -> str:
    """What to say of files of approved strategies that are not as they were signed; or ""."""
    problems = []
    for signed in controls.subjects("strategy", now_us):
        name, content = signed.entry.subject, controls.content(signed) or _SHIPPED
        if not content.startswith(_SHIPPED) and (paths := _differing(home, name, content)):
            problems.append(
                f"{', '.join(map(str, paths))}: not as strategy {name} was signed (entry"
                f" {signed.entry.number}), and does not run: the signed version does; have it"
                f" signed (tickhouse controls approve strategy {name}), or put it back"
            )
    return "; ".join(problems)


def _differing(home: Path, name: str, content: bytes) -> list[Path]:
    """Files of the home that are not as they were signed. Modules may lie elsewhere; they run from
    the signed copy.
    """
    folder, files = home / "strategies", sources(content, name)
    return [
        path
        for place, text in files.items()
        if (path := folder / place).exists() or place == f"{name}.py"
        if _read(path) != text
    ]


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _is_own(folder: Path, name: str) -> bool:
    files = (folder / f"{name}.py", folder / f"{name}{SUFFIX}")
    return any(path.exists() for path in files) or bool(entry_points(group=GROUP, name=name))


def _version() -> str:
    try:
        return version("tickhouse")
    except PackageNotFoundError:
        return "(a checkout)"
