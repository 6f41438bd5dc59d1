"""Settings: read once at start, frozen, passed down. The sole reader of the environment.

Later wins: defaults, `tickhouse.toml` in the working directory, the environment
(`TICKHOUSE_<SECTION>__<NAME>`, for example `TICKHOUSE_EXECUTION__LOTS=0.1`).
`TICKHOUSE_HOME` and `TICKHOUSE_TEST_DATA` stand by themselves.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from core.errors import SettingsError


class RunSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Identity that every record from features on carries."""

    run_id: str = "live"
    mode: Literal["live", "shadow", "demo", "replay", "backtest"] = "demo"
    account: str = "simulated"
    strategy: str = "model"


class ClickhouseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the warehouse answers. An empty URL means the embedded one."""

    url: str = ""
    user: str = "default"
    password: str = ""
    database: str = "tickhouse"


class WarehouseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The warehouse that `up` starts, and how long its tables keep rows."""

    #: `clickhouse` starts the binary of that name on PATH instead of the embedded engine.
    server: Literal["embedded", "clickhouse"] = "embedded"
    listen: str = "127.0.0.1"  # any but loopback needs users with passwords
    #: `table=days`, comma-separated, counted from when a row was stored; empty: for ever.
    retention: str = ""


class BusSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the bus answers. An empty URL means the embedded NATS server."""

    kind: Literal["nats"] = "nats"
    url: str = ""
    duplicate_window_s: int = 3600
    #: `always`: synced topics are on disk before they are acknowledged. `process`: a killed
    #: process loses nothing, a power cut may; for replays, which can be repeated.
    sync: Literal["always", "process"] = "always"
    ticks_max_gib: float = 10.0  # oldest ticks leave the bus beyond this; the warehouse has them


class TerminalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which terminal: simulated at `address` (host:port), or the real one (Windows)."""

    kind: Literal["simulated", "real"] = "simulated"
    address: str = ""
    source: str = "sim"  # the broker's name in our tables
    symbols: tuple[str, ...] = ("EURUSD", "XAUUSD", "BTCUSD")
    seed: int = 7  # of the generated market
    balance: float = 100_000.0  # of the simulated account
    currency: str = "USD"
    login: int = 0
    server: str = ""
    path: str = ""


class CollectorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How ticks are taken from the terminal."""

    poll_ms: int = 5
    backfill_minutes: int = 60  # on the very first start: how far back to begin
    speed: float = 0.0  # replay: market time over wall time; 0 is as fast as it goes
    slice_ticks: int = 32_768  # replay: most ticks of one feed in one slice of market time
    future_tolerance_s: int = 300  # a tick later than our clock by more is quarantined


class FeatureSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a feature row, and with a model a prediction, is made."""

    sample_ms: int = 1000  # at the first tick of each such span of market time; 0: at every tick


class SignalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How probabilities become target positions."""

    threshold: float = 0.55  # least probability of a move beyond costs
    horizon_s: float = 60.0
    scripted_horizon_s: float = 1800.0  # of the fixed rule that needs no model
    expiry_s: float = 2.0
    stop_spreads: float = 8.0  # stop distance in spreads, and at least
    stop_volatility: float = 4.0  # in volatilities over the horizon


class ExecutionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sizing and limits while no limits file is installed (`tickhouse limits`)."""

    lots: float = 0.10  # full position per symbol
    max_lots: float = 1.0  # per order
    max_orders_per_minute: int = 60  # per symbol, entries only
    max_quote_age_s: float = 10.0
    max_spread_ratio: float = 5.0  # spread over its own running median
    collar: float = 0.005  # reference price to live mid, share of price
    limits_version: str = "default-1"


class ModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a model is trained."""

    horizon_s: float = 60.0
    rounds: int = 60
    depth: int = 4
    learning_rate: float = 0.15
    max_rows: int = 400_000
    threads: int = 2


class OrchestrationSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What Dagster schedules, and whom it tells of failures."""

    webhook: str = ""  # URL that failures are posted to as JSON; empty: the log alone


class ReportSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Compliance: where reports and seals go, and the keys seals are signed and checked with."""

    signing_key: str = ""  # private Ed25519 key, outside the home (`tickhouse audit keygen`)
    public_key: str = ""  # of the signing key; without it seals are not checked
    archive: str = ""  # sealed days; empty: `<home>/sealed`
    folder: str = ""  # report folders; empty: `<home>/reports`
    schemas: str = ""  # folder with the authority's own XSD package; empty: nothing is validated


class ChaosSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For tests: where a process kills itself, once (see core.crashpoint)."""

    crash_at: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything. One section per part of the product."""

    home: str = ".tickhouse"
    run: RunSettings = RunSettings()
    clickhouse: ClickhouseSettings = ClickhouseSettings()
    warehouse: WarehouseSettings = WarehouseSettings()
    bus: BusSettings = BusSettings()
    terminal: TerminalSettings = TerminalSettings()
    collector: CollectorSettings = CollectorSettings()
    features: FeatureSettings = FeatureSettings()
    signals: SignalSettings = SignalSettings()
    execution: ExecutionSettings = ExecutionSettings()
    models: ModelSettings = ModelSettings()
    orchestration: OrchestrationSettings = OrchestrationSettings()
    reports: ReportSettings = ReportSettings()
    chaos: ChaosSettings = ChaosSettings()

    @property
    def home_path(self) -> Path:
        """TICKHOUSE_HOME, absolute."""
        return Path(self.home).resolve()


_ALONE = {"TICKHOUSE_HOME", "TICKHOUSE_TEST_DATA"}


def load(environ: Mapping[str, str] = os.environ, directory: Path | None = None) -> Settings:
    """Read settings.

    Raises:
        SettingsError: an unknown section or name (with the nearest known one), a wrong type.
    """
    toml = (directory or Path.cwd()) / "tickhouse.toml"
    values: dict[str, Any] = {}
    if toml.exists():
        try:
            values = tomllib.loads(toml.read_text())
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{toml}: {error}") from error
        _check_names(values, str(toml))
    for name, text in environ.items():
        if not name.startswith("TICKHOUSE_") or name in _ALONE:
            continue
        section, separator, field = name.removeprefix("TICKHOUSE_").lower().partition("__")
        if not separator:
            raise SettingsError(f"{name}: settings are named TICKHOUSE_<SECTION>__<NAME>")
        _check_names({section: {field: text}}, name)
        value: Any = [part.strip() for part in text.split(",")] if field == "symbols" else text
        values.setdefault(section, {})[field] = value
    if "TICKHOUSE_HOME" in environ:
        values["home"] = environ["TICKHOUSE_HOME"]
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"a setting has a wrong value: {error}") from error


def environment_of(section: str, **values: object) -> dict[str, str]:
    """Settings of one section as environment variables, for a child process."""
    return {
        f"TICKHOUSE_{section.upper()}__{name.upper()}": ",".join(map(str, value))
        if isinstance(value, tuple | list)
        else str(value)
        for name, value in values.items()
    }


def _check_names(values: Mapping[str, Any], where: str) -> None:
    known = {field.name: field for field in msgspec.structs.fields(Settings)}
    for section, content in values.items():
        if section not in known:
            raise SettingsError(f"{where}: no section {section!r}{_nearest(section, known)}")
        if not isinstance(content, Mapping):
            continue
        names = {f.name for f in msgspec.structs.fields(known[section].type)}
        for name in content:
            if name not in names:
                raise SettingsError(
                    f"{where}: no setting {name!r} in section {section!r}{_nearest(name, names)}"
                )


def _nearest(name: str, known: Any) -> str:
    match = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {match[0]!r}?" if match else f"; known: {', '.join(sorted(known))}"
