"""Settings: read once at start, frozen, passed down. The sole reader of the environment.

Later wins: defaults, `tickhouse.toml` in the working directory, the environment
(`TICKHOUSE_<SECTION>__<NAME>`, for example `TICKHOUSE_EXECUTION__LOTS=0.1`). With `_FILE` behind
it the variable names a file that holds the value, as container engines hand over secrets.
`TICKHOUSE_HOME` and `TICKHOUSE_TEST_DATA` stand by themselves.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from core import credentials, instruments, secrets, switches, tls
from core.errors import SettingsError
from core.sections import (
    AdmissionSettings,
    AlertSettings,
    ApiSettings,
    AskSettings,
    BackupSettings,
    BotSettings,
    BusSettings,
    ChaosSettings,
    ClickhouseSettings,
    CollectorSettings,
    ControlSettings,
    ExecutionSettings,
    ExitSettings,
    FeatureSettings,
    ModelSettings,
    OidcSettings,
    OrchestrationSettings,
    PrivacySettings,
    RegistrySettings,
    ReportSettings,
    RiskSettings,
    RuleSettings,
    RunSettings,
    SignalSettings,
    StreamsSettings,
    TerminalSettings,
    TraceSettings,
    TwinSettings,
    WarehouseSettings,
)


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
    streams: StreamsSettings = StreamsSettings()
    risk: RiskSettings = RiskSettings()
    signals: SignalSettings = SignalSettings()
    exits: ExitSettings = ExitSettings()
    execution: ExecutionSettings = ExecutionSettings()
    admission: AdmissionSettings = AdmissionSettings()
    twin: TwinSettings = TwinSettings()
    models: ModelSettings = ModelSettings()
    registry: RegistrySettings = RegistrySettings()
    orchestration: OrchestrationSettings = OrchestrationSettings()
    backup: BackupSettings = BackupSettings()
    reports: ReportSettings = ReportSettings()
    alerts: AlertSettings = AlertSettings()
    bot: BotSettings = BotSettings()
    api: ApiSettings = ApiSettings()
    oidc: OidcSettings = OidcSettings()
    ask: AskSettings = AskSettings()
    rules: RuleSettings = RuleSettings()
    traces: TraceSettings = TraceSettings()
    controls: ControlSettings = ControlSettings()
    privacy: PrivacySettings = PrivacySettings()
    chaos: ChaosSettings = ChaosSettings()

    @property
    def home_path(self) -> Path:
        """TICKHOUSE_HOME, absolute."""
        return Path(self.home).resolve()

    @property
    def marts_mode(self) -> str:
        """The world that schedules build: what runs, unless another was asked for."""
        return self.orchestration.mode or self.run.mode


_LISTS = {"symbols", "members", "addresses", "strategies", "hosts", "corrections", "firms"} | {
    "chats",
    "people",
    "tells",
    "redact",
}
_ALONE = {"TICKHOUSE_HOME", "TICKHOUSE_TEST_DATA"}
_TOKEN = "name a file of its own, TICKHOUSE_BOT__TOKEN_FILE=PATH"  # noqa: S105  # a remedy
_IN_FILE = "_file"  # no setting's own name ends so


def load(environ: Mapping[str, str] = os.environ, directory: Path | None = None) -> Settings:
    """Read settings.

    Raises:
        SettingsError: an unknown section or name (with the nearest known one), a wrong type, a
            file of a value that cannot be read.
    """
    toml = (directory or Path.cwd()) / "tickhouse.toml"
    values: dict[str, Any] = {}
    if toml.exists():
        try:
            values = tomllib.loads(toml.read_text())
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{toml}: {error}") from error
        _check_names(values, str(toml))
        if "controls" in values:  # a file that lies where a home does must not say whom to trust
            raise SettingsError(f"{toml}: section 'controls' is set by the environment alone")
        if isinstance(values.get("ask"), Mapping) and "provider" in values["ask"]:
            raise SettingsError(f"{toml}: ask.provider is set by the environment alone")
        if "oidc" in values:  # nor who says who somebody is
            raise SettingsError(f"{toml}: section 'oidc' is set by the environment alone")
        if isinstance(values.get("bot"), Mapping) and "token" in values["bot"]:
            raise SettingsError(f"{toml}: bot.token stands in no file that is shared: {_TOKEN}")
    for name, text in environ.items():
        if not name.startswith("TICKHOUSE_") or name in _ALONE:
            continue
        section, separator, field = name.removeprefix("TICKHOUSE_").lower().partition("__")
        if not separator:
            raise SettingsError(f"{name}: settings are named TICKHOUSE_<SECTION>__<NAME>")
        if field.endswith(_IN_FILE):
            if name.removesuffix(_IN_FILE.upper()) in environ:
                raise SettingsError(f"{name}: the same setting is given without _FILE too")
            field, text = field.removesuffix(_IN_FILE), _content(name, text)
        _check_names({section: {field: text}}, name)
        value: Any = [p.strip() for p in text.split(",") if p.strip()] if field in _LISTS else text
        values.setdefault(section, {})[field] = value
    if "TICKHOUSE_HOME" in environ:
        values["home"] = environ["TICKHOUSE_HOME"]
    try:
        settings = _signed_in(msgspec.convert(_with_switches(values), Settings, strict=False))
        # A process knows the instruments of one home, and when they trade there.
        instruments.use_home(settings.home_path, never_closes=settings.terminal.never_closes)
    except msgspec.ValidationError as error:
        raise SettingsError(f"a setting has a wrong value: {error}") from error
    secrets.keep(_secrets(settings))
    return settings


def _secrets(settings: Settings) -> Iterator[str]:
    for name in settings.__struct_fields__:
        section = getattr(settings, name)
        secret = secrets.NAMES & set(getattr(section, "__struct_fields__", ()))
        yield from (str(getattr(section, field)) for field in secret)


def of_home(home: str | None) -> Settings:
    """Settings as the environment says, of that home; None: of the environment's own.

    Raises:
        SettingsError: as `load`.
    """
    return load(os.environ | ({"TICKHOUSE_HOME": home} if home else {}))


def _with_switches(values: dict[str, Any]) -> dict[str, Any]:
    kinds = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    return {
        name: switches.understood(name, kinds[name], content)
        if isinstance(content, Mapping)
        else content
        for name, content in values.items()
    }


def _signed_in(settings: Settings) -> Settings:
    """Bus and warehouse that are the home's own know the home's credentials."""
    bus, warehouse = settings.bus, settings.clickhouse
    directory = str(credentials.directory_of(settings.home_path))
    if not (bus.url or bus.credentials or bus.is_kafka):
        bus = replace(bus, credentials=directory, ca=bus.ca or tls.authority_of(settings.home_path))
    if not warehouse.credentials and uses_own_warehouse(settings):
        warehouse = replace(warehouse, credentials=directory)
    if not warehouse.ca and (not warehouse.url or uses_own_warehouse(settings)):
        warehouse = replace(warehouse, ca=tls.authority_of(settings.home_path))
    return replace(settings, bus=bus, clickhouse=warehouse)


def uses_own_warehouse(settings: Settings) -> bool:
    """Whether the warehouse is the home's embedded one, and nobody said as whom to sign in."""
    where = settings.clickhouse
    if where.names_a_user or settings.warehouse.server != "embedded":
        return False
    return not where.url or where.url.rstrip("/") == running_warehouse(settings.home_path)


def running_warehouse(home: Path) -> str:
    """The address that a home's embedded warehouse wrote down; empty when none runs."""
    try:
        return (home / "run" / "warehouse.url").read_text().strip()
    except OSError:
        return ""


def _content(name: str, path: str) -> str:
    try:
        return Path(path).read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: {path} cannot be read: {error}") from error


def environment_of(section: str, **values: object) -> dict[str, str]:
    """Settings of one section as environment variables, for a child process; unset ones not."""
    return {
        f"TICKHOUSE_{section.upper()}__{name.upper()}": ",".join(map(str, value))
        if isinstance(value, tuple | list)
        else str(value)
        for name, value in values.items()
        if value is not msgspec.UNSET
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
