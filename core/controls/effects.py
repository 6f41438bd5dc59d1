"""What the files of a home say of a control that has taken effect, for who only reads files.

Execution goes by the chain. The control file tells boards and `status` that trading is active; the
limits file is what replays and backtests take.
"""

from core import checked_json, durable
from core.controls.entry import Entry
from core.controls.fold import Controls
from core.errors import InputError
from core.settings import Settings
from core.trading_control import ControlCommand, path_in, write


def take_effect(settings: Settings, entry: Entry, after: Controls) -> bool:
    """Write them when the entry holds; whether it does.

    Raises:
        OSError: a file cannot be written; the control holds all the same.
    """
    version = after.taken.get(entry.number)
    content = after.content(version) if version else None
    if content is None:
        return False
    if entry.kind == "limits":
        durable.write(settings.home_path / "limits.toml", content)
    elif entry.kind == "resume":
        _resume(settings, content)
    return True


def _resume(settings: Settings, content: bytes) -> None:
    path = path_in(settings.home_path)
    order = checked_json.decode(content, ControlCommand)
    if order.state != "active":
        raise InputError(str(path), "what was signed is no resume")
    write(path, order)
