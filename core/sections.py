"""The sections of the settings: what can be set, its default, and what it means."""

from typing import Any, Literal

import msgspec


class RunSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Identity that every record from features on carries."""

    run_id: str = "live"
    mode: Literal["live", "shadow", "demo", "replay", "backtest"] = "demo"
    account: str = "simulated"
    strategy: str = "model"
    session_id: str = ""  # this start; whoever starts the processes gives it to them


class ClickhouseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the warehouse answers. An empty URL means the embedded one."""

    url: str = ""
    user: str = "default"
    password: str = ""
    database: str = "tickhouse"
    #: Folder with a password for each process, of the embedded warehouse; then no `user` is needed.
    credentials: str = ""
    ca: str = ""  # PEM file of who signed its certificate; empty: whom this machine trusts
    #: Name in `system.clusters`, of servers with macros `shard` and `replica`; empty: one server.
    cluster: str = ""

    @property
    def names_a_user(self) -> bool:
        """Whether somebody said as whom to sign in."""
        return (self.user, self.password) != ("default", "")


class WarehouseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The warehouse that `up` starts, and how long its tables keep rows."""

    #: `clickhouse` starts the binary of that name on PATH instead of the embedded engine.
    server: Literal["embedded", "clickhouse"] = "embedded"
    listen: str = "127.0.0.1"  # any but loopback needs users with passwords
    #: Host names, comma-separated, that it may be asked by besides loopback and its own address.
    hosts: tuple[str, ...] = ()
    #: MiB, unpacked, that a statement may have, or one compressed block of an insert's data.
    largest_statement_mib: int = 256
    memory_mib: int = 0  # of all statements together, merges too; 0: half of the machine's
    #: `table=days`, comma-separated, counted from when a row was stored; empty: for ever.
    retention: str = ""


class BusSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the bus answers. An empty URL means the embedded NATS server."""

    kind: Literal["nats", "kafka"] = "nats"
    url: str = ""  # nats://host:port, or kafka://host:port,host:port
    #: The embedded server's. Beyond this machine, for an agent elsewhere, it listens with TLS only.
    listen: Literal["127.0.0.1", "0.0.0.0"] = "127.0.0.1"  # `tickhouse agent invite`
    port: int = 4222  # of the embedded server, where it is free; an invited agent needs this one
    duplicate_window_s: int = 3600
    #: `always`: synced topics are on disk before they are acknowledged. `process`: a killed
    #: process loses nothing, a power cut may; for replays, which can be repeated.
    sync: Literal["always", "process"] = "always"
    ticks_max_gib: float = 10.0  # oldest ticks leave the bus beyond this; the warehouse has them
    user: str = ""  # of a server elsewhere, with `password`; or `token`
    password: str = ""
    token: str = ""
    ca: str = ""  # PEM file of who signed the server's certificate: then only TLS is spoken
    certificate: str = ""  # PEM file of our own, with `key`, when the server asks for one
    key: str = ""
    #: Folder with a password for each process, of the embedded server; empty with a `url`: none.
    credentials: str = ""
    # Kafka only, from here on.
    sasl: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"  # with `user`
    topic_prefix: str = "tickhouse."  # before each topic's name; a replay adds its run id
    partitions: int = 1  # of topic ticks, by symbol; every other topic has one
    replication: int = 1  # copies of each message, on as many brokers
    min_insync: int = 0  # copies that a publish waits for; 0: all but one, at least 1
    retention_hours: float = 0.0  # ticks and heartbeats leave after these; 0: by size only
    linger_ms: float = 0.0  # how long a message may wait for others to travel with
    max_skew_s: float = 1.0  # clocks of hosts and brokers apart by more are reported

    @property
    def is_kafka(self) -> bool:
        """By kind or by the URL's scheme."""
        return self.kind == "kafka" or self.url.startswith("kafka://")


class TerminalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which terminal: simulated at `address` (host:port), a real one here (Windows), or a real
    one elsewhere through its agent."""

    kind: Literal["simulated", "real", "agent"] = "simulated"
    address: str = ""
    credentials: str = ""  # folder with those of the home whose terminal runs at `address`
    agent: str = "desk"  # the agent's name, at its host and here
    source: str = "sim"  # the broker's name in our tables
    symbols: tuple[str, ...] = ("EURUSD", "XAUUSD", "BTCUSD")
    seed: int = 7  # of the generated market
    #: The generated market trades at weekends too. `up` turns it on for an account that it begins.
    never_closes: bool = False
    #: It opens with planted regimes, so that there is something to trade at once. As above.
    lively: bool = False
    balance: float = 100_000.0  # of the simulated account
    netting: bool = False  # the simulated account has one position per symbol
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


class StreamsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A flow on several processes: cut into shards, one process each; `up` and `replay` start them.

    On a Kafka whose topic `ticks` has several partitions processes may share these instead: each
    gets the addresses of all, and its own place in them.
    """

    shards: int = 1  # of flows `ticks` and `signals` each: feeds by consistent hash
    account_shards: int = 1  # of flow `executions`: accounts by consistent hash
    shard: int = 0  # which of its flow this process is
    addresses: tuple[str, ...] = ()  # host:port of each process of one flow; empty: one alone
    process: int = 0  # which of them this one is
    #: Sources whose live feed may change stored ticks; what others say anew goes to quarantine.
    corrections: tuple[str, ...] = ()


class RiskSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What can be lost (table `portfolio_risk`); limits on it stand in the limits file."""

    enabled: bool = True  # False: no figures; while a limit on risk is set, entries are then denied
    every_s: int = 1  # seconds of market time between an account's figures; 60 has to be a multiple
    replay_every_s: int = 60  # the same in a replay
    #: In a replay, figures for pre-trade checks also while nothing is held; set by who starts it.
    published: bool = False
    window_minutes: int = 2880  # of history: two trading days
    half_life_minutes: float = 240.0  # after which a minute weighs half in volatility, correlation
    least_minutes: int = 60  # of history that a feed needs
    stop_out_level: float = 0.5  # share of margin at which the broker closes positions


class SignalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How probabilities become target positions."""

    threshold: float = 0.55  # least probability of a move beyond costs
    horizon_s: float = 60.0
    scripted_horizon_s: float = 1800.0  # of the fixed rule that needs no model
    expiry_s: float = 2.0  # of a target; on a row that came later nothing is decided
    stop_spreads: float = 8.0  # stop distance in spreads, and at least
    stop_volatility: float = 4.0  # in volatilities over the horizon
    slippage_bp: float = 0.1  # expected cost of a round trip beside the spread
    min_agreement: float = 0.6  # 1: all members of the model say the same; less opens nothing
    new_champion_hours: float = 24.0  # how long a new champion opens reduced positions
    new_champion_share: float = 0.5  # of a full one
    #: Of the strategy, as NAME=NUMBER,...; what is left out has its default. Unset, it is not
    #: encoded: runs and sessions of before keep their hashes.
    parameters: str | msgspec.UnsetType = msgspec.UNSET


class ExitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exits beyond stop, horizon and opposite signal; distances in distances of the stop."""

    take_profit_stops: float = 0.0  # where the venue closes with a gain; 0: nowhere
    trail_stops: float = 0.0  # how far behind the price the stop follows a gain; 0: it stays
    trail_step: float = 0.1  # least move of a trailing stop, as a share of its distance
    trail_interval_s: float = 1.0  # least time between two moves of a position's stop


class ExecutionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sizing and limits while no limits file is installed (`tickhouse limits`)."""

    lots: float = 0.10  # full position per symbol
    max_lots: float = 1.0  # per order
    max_orders_per_minute: int = 60  # per symbol, entries only
    max_quote_age_s: float = 10.0
    max_spread_ratio: float = 5.0  # spread over its own running median
    collar: float = 0.005  # reference price to live mid, share of price
    limits_version: str = "default-2"


class AdmissionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which signals live execution takes up at all. A replay takes up all: its bus is its own."""

    future_tolerance_s: float = 300.0  # a signal dated after our clock by more is refused
    max_signals_per_second: int = 10_000  # per strategy; of all unknown ones together
    strategies: tuple[str, ...] = ()  # whose signals are taken up; empty: of run.strategy alone


class TwinSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The broker's twin: a simulated terminal beside the real one, on the same ticks."""

    enabled: Literal["auto", "on", "off"] = "auto"  # auto: beside a real terminal
    latency_min_ms: int = 20  # of the modelled broker: at least
    latency_max_ms: int = 120  # and at most; uniform between
    slip_probability: float = 0.3  # how often a fill is worse than the quote,
    slip_spreads: float = 0.2  # by up to so many spreads
    seed: int = 7  # of latency and slippage


class ModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a model is trained."""

    horizon_s: float = 60.0
    rounds: int = 60
    depth: int = 4
    learning_rate: float = 0.15
    max_rows: int = 400_000
    threads: int = 2
    members: tuple[str, ...] = ("xgboost", "lightgbm", "linear", "sequence")
    labels: Literal["horizon", "barrier"] = "horizon"  # what a move is: models/labels, barriers
    label_spreads: float = 1.0  # a move counts beyond so many spreads
    leaf_rows: int = 20  # fewest rows in a leaf of LightGBM
    sequence_rows: int = 20_000  # most windows that the sequence network is trained on
    own_features: bool = False  # learn from a person's own features, too

    def counted(self) -> dict[str, Any]:
        """For hashes: what is newer than the first of them counts only where it is used."""
        fields = msgspec.structs.asdict(self)
        if not self.own_features:
            del fields["own_features"]
        return fields


class RegistrySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to models once they are trained."""

    #: MLflow server to mirror to; empty: a SQLite file in the home; `none`: no mirror.
    url: str = ""
    min_decisions: int = 200  # of a challenger, before the rule may propose it
    drift_psi: float = 0.25  # population stability index beyond which a column counts as drifted
    drift_columns: int = 5  # so many drifted columns are an alert
    drift_rows: int = 1000  # fewer rows say nothing of a distribution
    drift_hours: float = 1.0  # of market time; less is one mood of the market
    drift_reduces: bool = False  # an alert also moves trading to `reducing`
    #: Folder in which `up` keeps its model of the simulated market, for all homes of a person.
    cache: str = "~/.cache/tickhouse"


class OrchestrationSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What Dagster schedules, and whom it tells of failures."""

    enabled: bool = True  # `up` starts Dagster, if it is installed
    #: Of the scheduled marts; empty: what runs (`run.mode`).
    mode: Literal["", "live", "shadow", "demo", "replay", "backtest"] = ""
    #: Seconds between two builds of the marts of what was traded; 0: only after the trading day.
    intraday_s: float = 600.0
    run_id: str = ""  # whose rows the nightly training learns from; empty: run.run_id
    folds: int = 3  # of the walk-forward evaluation beside the nightly training; 0: none
    backups_kept: int = 7  # older nightly backups are removed; 0: none ever is
    webhook: str = ""  # URL that failures are posted to as JSON, as alerts.webhook


class BackupSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Backups that leave this host, encrypted. Without a destination none does."""

    destination: str = ""  # a folder on another disk or machine, or `s3://bucket/prefix`
    keyfile: str = ""  # of `tickhouse backup keygen`, outside the home; keep a copy elsewhere
    every_hours: float = 24.0  # Dagster makes one when the newest is older
    kept: int = 14  # of this home's, the newest; 0: all
    s3_endpoint: str = ""  # URL of the server; empty: Amazon's of the region
    s3_region: str = "us-east-1"  # of the bucket
    s3_access_key: str = ""  # with `s3_secret_key`; empty: where Amazon's tools look
    s3_secret_key: str = ""  # better in the environment than in a file

    def __repr__(self) -> str:
        """Without keys."""
        return f"BackupSettings(destination={self.destination!r})"


class ControlSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Signed controls: folders outside every home. Only the environment names them."""

    keys: str = "~/.config/tickhouse/keys"  # of people: private keys, encrypted by a passphrase
    trust: str = "~/.config/tickhouse/trust"  # what is known here of each home's signed chain


class PrivacySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who people are, apart from what they did."""

    vault: str = ""  # folder outside the home; empty: none, and names stay as they are written


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told of failures and lateness, beside the log. Empty: nobody."""

    webhook: str = ""  # URL; posted there as JSON with `text`, `job`, `run_id`
    email_to: str = ""  # address; with the SMTP server and sender below
    email_from: str = "tickhouse@localhost"
    smtp: str = ""  # host:port of the mail server
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_security: Literal["starttls", "ssl", "insecure"] = "starttls"
    telegram_token: str = ""  # of the bot
    telegram_chat: str = ""  # id of the chat it writes to
    digest_s: float = 300.0  # after a message, more are gathered so long and come as one; 0: never
    retry_s: float = 30.0  # until a target that did not take a message is tried again

    def __repr__(self) -> str:
        """Which targets are set, and nothing that a log must not hold."""
        kinds = ("webhook", "email_to", "telegram_token")
        return f"AlertSettings({', '.join(kind for kind in kinds if getattr(self, kind))})"


class BotSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bot on Telegram (extra `bot`): who may write to it and as whom, and what it tells."""

    enabled: bool = False  # `up` starts it, as `up --bot` does
    token: str = ""  # of BotFather; from the environment alone, better as TICKHOUSE_BOT__TOKEN_FILE
    chats: tuple[str, ...] = ()  # ids of the chats that are answered; all others get nothing
    #: `TELEGRAM_ID=NAME` of a user of the home; in a home without users `TELEGRAM_ID=NAME:ROLE`.
    people: tuple[str, ...] = ()
    oldest_s: float = 60.0  # a command that is older when it arrives is not executed
    per_minute: int = 20  # commands of one chat; halting is never refused for it
    #: Unasked, to all chats.
    tells: tuple[Literal["alerts", "trading", "fills"], ...] = ("alerts", "trading", "fills")
    server: str = "https://api.telegram.org"  # or a Bot API server of your own

    def __repr__(self) -> str:
        """Without the token."""
        return f"BotSettings(enabled={self.enabled}, chats={self.chats})"


class ApiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The API for programs (extra `api`), on loopback; keys are made by `tickhouse api-keys`."""

    enabled: bool = False  # `up` starts it, as `up --api` does
    port: int = 8060  # where `up` and `api` listen; another free one when it is taken, or when 0
    cache_mib: int = 64  # answers that are kept, by version of the data


class AskSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom `tickhouse ask` and the page for questions ask when the grammar has no answer."""

    provider: str = ""  # endpoint like OpenAI's, as https://host/v1; empty: nobody is asked
    model: str = ""  # its name there
    token: str = ""  # better as TICKHOUSE_ASK__TOKEN_FILE
    private: bool = False  # whether its host may be an address of the own network
    timeout_s: float = 30.0  # for one answer
    per_day: int = 200  # questions that are put to it in a day (UTC); then none
    redact: tuple[str, ...] = ()  # further words that leave as placeholders, as names of clients

    def __repr__(self) -> str:
        """Without the token."""
        return f"AskSettings(provider={self.provider!r}, model={self.model!r})"


class OidcSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A company's sign-in by OpenID Connect (extra `oidc`), beside names and passwords."""

    issuer: str = ""  # https://…, as the provider writes it; empty: there is none
    client_id: str = ""  # of this home, at the provider
    client_secret: str = ""  # better as TICKHOUSE_OIDC__CLIENT_SECRET_FILE
    claim: str = "email"  # what it says of a person that is the name of a user here
    audience: str = ""  # of access tokens that the API takes; empty: it takes none

    def __repr__(self) -> str:
        """Without the secret."""
        return f"OidcSettings(issuer={self.issuer!r}, client_id={self.client_id!r})"


class RuleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the alert rules of `surveillance.rules` fire; `watch` evaluates them."""

    every_s: float = 10.0  # between two evaluations
    repeat_s: float = 14_400.0  # until one that nobody acknowledged is told again; 0: never
    page: str = ""  # URL of the live page, for links in messages; empty: on loopback
    alertmanager: str = ""  # host:port that the Prometheus of `up --prometheus` sends alerts to
    feed_stale_s: float = 60.0  # without a tick of a feed while its market is open
    process_down_s: float = 30.0  # since the last heartbeat or answer of a process
    predictions_stale_s: float = 120.0  # a feed's ticks go on, and its predictions do not
    latency_ms: float = 15.0  # signal to order, p99 of five minutes
    stage_ms: float = 1.0  # p99 of a stage that promises to stay below: feature, predict, risk
    window_s: int = 900  # over which orders are counted
    orders: int = 20  # fewer within the window say nothing
    unfilled: float = 0.1  # share of orders sent that were not filled
    refused: float = 0.1  # share of orders sent that were rejected, or of unknown outcome
    drawdown: float = 0.05  # share of equity below the day's peak
    odd_order: float = 0.8  # score of one of our own orders: 1 is as unusual as can be
    drifted: int = 4  # columns of a model whose distribution left that of its training
    disk: float = 0.92  # share of the warehouse's disk in use
    backup_hours: float = 36.0  # since the newest backup that left the host, where one should


class TraceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where each order's way from tick to fill is sent, beside the warehouse. Empty: nowhere."""

    #: URL of a collector that speaks OTLP over HTTP; without a path `/v1/traces` is added.
    otlp_endpoint: str = ""
    otlp_headers: str = ""  # `name=value`, comma-separated, sent with each request
    every_s: float = 5.0  # between two looks for orders that ended
    settle_s: float = 15.0  # after its end, until all rows of an order are surely stored

    def __repr__(self) -> str:
        """Without the headers, which may hold a token."""
        return f"TraceSettings(otlp_endpoint={self.otlp_endpoint!r})"


class ReportSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Compliance: where reports and seals go, and the keys seals are signed and checked with."""

    signing_key: str = ""  # private Ed25519 key, outside the home (`tickhouse audit keygen`)
    public_key: str = ""  # of the signing key; without it seals are not checked
    archive: str = ""  # sealed days; empty: `<home>/sealed`
    folder: str = ""  # report folders; empty: `<home>/reports`
    #: Sealed exports of records: a folder on another disk, or `s3://bucket/prefix` of a bucket that
    #: locks objects. Server and keys are those of `backup`.
    records: str = ""
    schemas: str = ""  # folder with the authority's own XSD package; empty: nothing is validated
    clock_every_s: int = 60  # how often `watch` measures the machine's clock; 0: never
    ntp_servers: str = ""  # host or host:port, comma-separated, to measure against beside chrony
    #: Executing parties of the reference data that each have reports of their own (`rts22@alpha`);
    #: empty: the home is one firm.
    firms: tuple[str, ...] = ()
    mail_to: str = ""  # who gets each night's reports by e-mail, by the mail server of `alerts`


class ChaosSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For tests: where a process kills itself, once (see core.crashpoint)."""

    crash_at: str = ""
