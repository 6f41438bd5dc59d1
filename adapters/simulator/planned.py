"""PLAN.json: the files that a recorded market of the terminal's process is made of."""

from pathlib import Path

import msgspec

from adapters.simulator.markets.recorded import MAX_TICKS, RecordedMarket
from adapters.simulator.markets.tickfile import MarketFile, ParquetTicks
from core import checked_json
from core.errors import InputError, SettingsError


class PlannedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a replay."""

    path: str
    source: str
    symbol: str


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a recorded market is made of: PLAN.json."""

    files: list[PlannedFile]
    cut_msc: int = 0
    max_ticks: int = MAX_TICKS
    account_log: str = ""


def read(path: Path | None) -> Plan:
    """The plan in a file.

    Raises:
        SettingsError: none is named, or it cannot be read.
    """
    if path is None:
        raise SettingsError("--market recorded needs --plan PLAN.json")
    try:
        return checked_json.decode(path.read_bytes(), Plan)
    except (OSError, msgspec.DecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error


def market_of(plan: Plan) -> RecordedMarket:
    """The market of its files.

    Raises:
        InputError: a file is no tick file.
    """
    return RecordedMarket([open_file(f) for f in plan.files], plan.max_ticks, plan.cut_msc)


def open_file(planned: PlannedFile) -> MarketFile:
    """The reader for one file of a plan."""
    if not planned.path.endswith(".parquet"):
        raise InputError(planned.path, "only normalised parquet can be replayed; import it first")
    return ParquetTicks(planned.path, planned.source, planned.symbol)
