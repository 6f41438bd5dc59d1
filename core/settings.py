"""Settings: read once at start, frozen, passed down. The sole reader of the environment.

Later wins: defaults, `tickhouse.toml` in the working directory, the environment
(`TICKHOUSE_<SECTION>__<NAME>`, for example `TICKHOUSE_EXECUTION__LOTS=0.1`). With `_FILE` behind
it the variable names a file that holds the value, as container engines hand over secrets.
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

    kind: Literal["nats", "kafka"] = "nats"
    url: str = ""  # nats://host:port, or kafka://host:port,host:port
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
    # Kafka only, from here on.
    sasl: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"  # with `user`
    topic_prefix: str = "tickhouse."  # before each topic's name; a replay adds its run id
    partitions: int = 1  # of topic ticks, by symbol; every other topic has one
    replication: int = 1  # copies of each message, on as many brokers
    min_insync: int = 0  # copies without which nothing counts as stored; 0: all but one
