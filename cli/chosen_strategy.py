"""The strategies a command line names: checked, and where every process finds them."""

from functools import partial
from pathlib import Path

from msgspec.structs import replace

from core import durable
from core.clock import SystemClock
from core.controls import desks, own_features
from core.controls.approvals import controls_of, is_signed, strategies_folder, strategy_holds
from core.desk import DESK, Desk, of_names, path_in
from core.errors import SettingsError
from core.feature_set import FOLDER
from core.settings import Settings
from features import own
from strategies import desk, plugins, select

STRATEGY_HELP = "a name, the path of your own .py, or several: a,b,c"
DESK_HELP = "the strategies of this file (docs/how-to/run-a-desk.md)"


def chosen(given: str, settings: Settings, *, trades: bool = False) -> str:
    """The name of a shipped strategy, of one in HOME/strategies, or of a file put there now.

    Several names stay several, comma-separated.

    `trades`: not in a replay or backtest; then a person's own is loaded as it was signed, where
    controls are.

    Raises:
        SettingsError: there is none of that name, it is broken, or no signed version of it holds.
    """
    _know_features(settings, trades=trades)
    names = ",".join(_one(part.strip(), settings, trades=trades) for part in given.split(","))
    if "," in names:
        of_names(names)
    return names


def chosen_desk(
    given: str | None, file: Path | None, settings: Settings, *, trades: bool = False
) -> tuple[Settings, Desk]:
    """The settings with `--strategy` or `--desk`, else the home's desk, else as they are.

    Raises:
        InputError: a desk has a mistake.
        ModelError: a model that it names cannot be used.
        SettingsError: both are given, one of the strategies cannot be used, or may not trade.
    """
    if given and file:
        raise SettingsError("--strategy and --desk: only one of them says what trades")
    _know_features(settings, trades=trades)
    if file:
        _put(file, settings, trades=trades)
    name = chosen(given, settings, trades=trades) if given else settings.run.strategy
    by_default = not given and name in ("model", DESK)
    if file or (by_default and path_in(settings.home_path).exists()):
        name = DESK
    settings = replace(settings, run=replace(settings.run, strategy=name))
    one = desks.read(file or path_in(settings.home_path)) if name == DESK else None
    if one is None or trades:
        one = desks.in_force(settings, SystemClock())
    if not one.alone:
        _check(one, settings, trades=trades)
    return settings, one


def _know_features(settings: Settings, *, trades: bool) -> None:
    """A strategy may ask for the column of a person's own feature when it is made."""
    own_folder = settings.home_path / FOLDER
    folder = own_features.folder_of(settings, SystemClock()) if trades else own_folder
    own.use(own.of_folder(folder))


def _one(given: str, settings: Settings, *, trades: bool) -> str:
    folder = settings.home_path / "strategies"
    if given.endswith(".py"):
        plugins.refuse_taken(given, (*select.shipped(), DESK))
    name = plugins.install(given, folder)
    if trades:
        run = replace(settings.run, strategy=name)
        folder = strategies_folder(replace(settings, run=run), SystemClock())
    select.select(name, settings.signals, folder)
    return name


def _put(file: Path, settings: Settings, *, trades: bool) -> None:
    """Where every process finds it. What is signed holds instead, where controls are."""
    content, target = desks.read(file).content, path_in(settings.home_path)
    if not trades or (target.exists() and target.read_bytes() == content):
        return
    if is_signed(settings):
        raise SettingsError(
            f"{file}: a signed desk holds here; put it to {target} and have it signed: tickhouse"
            " controls approve desk --by WHO --reason TEXT"
        )
    durable.write(target, content)


def _check(one: Desk, settings: Settings, *, trades: bool) -> None:
    """Every strategy can be made, its model opened, and those that say `live` may be."""
    folder, clock = settings.home_path / "strategies", SystemClock()
    folder_of = partial(desks.folder_of, settings, clock=clock) if trades else lambda _use: folder
    desk.members(one, settings, folder_of)
    if one.named_models:
        from models.serving.in_use import open_named  # ONNX Runtime, which most desks need not here

        open_named(settings.home_path / "models", one.named_models)
    if not trades:
        return
    one.refuse_unknown_symbols(settings.terminal.symbols)
    if settings.run.mode != "live" or settings.terminal.kind == "simulated":
        return
    now = clock.now_us()
    for strategy in one.strategies:
        if strategy.mode != "live":
            continue
        if not is_signed(settings) or not strategy_holds(
            controls_of(settings, clock), settings.home_path, strategy.use, now
        ):
            raise SettingsError(
                f"strategy {strategy.name}: mode live without an approval that holds; tickhouse"
                f" controls approve strategy {strategy.use} --by WHO --reason TEXT, or mode shadow"
            )
