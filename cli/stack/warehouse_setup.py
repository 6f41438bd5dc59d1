"""Makes a warehouse ready for the processes that write to it."""

import msgspec

from core.clock import SystemClock
from core.controls import desks
from core.fingerprint import fingerprint
from core.home_users import SETUP, sign_in
from core.settings import Settings
from strategies import desk


def migrate(settings: Settings, url: str) -> list[str]:
    """Apply the migrations that the warehouse at `url` lacks, and retention; return their names.

    Corrections of ticks that were cut short are completed.

    Raises:
        SettingsError: retention names no table of ours, no days, or fewer than a policy.
        WarehouseError, UnavailableError: as adapters.clickhouse.migrate.apply.
    """
    from adapters.clickhouse import client, migrate
    from adapters.clickhouse.finish import finish
    from audit.retention import ttl
    from features import catalog

    where = sign_in(msgspec.structs.replace(settings.clickhouse, url=url), SETUP)
    connection = client.connect(where)
    applied = migrate.apply(connection, catalog.NAMES)
    ttl.apply(connection, settings, SystemClock())
    finish(where, settings.home_path, "up")
    return applied


def make_marts(settings: Settings, url: str) -> None:
    """Marts that dbt has not built yet are there, empty. Some seconds, in a new home.

    Raises:
        WarehouseError, UnavailableError: as adapters.clickhouse.marts.make.
    """
    from adapters.clickhouse import client, marts

    where = sign_in(msgspec.structs.replace(settings.clickhouse, url=url), SETUP)
    marts.make(client.connect(where))


def leave_word(settings: Settings, url: str) -> None:
    """Tell execution, which does not know the warehouse, up to where that has the journal."""
    from adapters.clickhouse import client
    from audit.stored import stored_end
    from execution.compose import own_path
    from execution.journal import delivered

    where = sign_in(msgspec.structs.replace(settings.clickhouse, url=url), SETUP)
    connection = client.connect(where)
    mark = delivered.Mark(*stored_end(connection, settings.run.account))
    connection.close()
    delivered.leave_word(own_path(settings) / "journal", mark)


def give_back(settings: Settings, url: str) -> None:
    """Let another home store our sources at once: nobody here stores ticks any more."""
    from adapters.clickhouse.tick_turns import release

    where = sign_in(msgspec.structs.replace(settings.clickhouse, url=url), SETUP)
    release(where, settings.home_path)


def write_run(settings: Settings, url: str) -> None:
    """The row of `run` that says what runs, since when, with which settings; its instruments."""
    from adapters.clickhouse import instruments
    from adapters.clickhouse.rows import run_columns
    from adapters.clickhouse.writer import Writer
    from features import catalog
    from models.serving.registry import Registry

    where = sign_in(msgspec.structs.replace(settings.clickhouse, url=url), SETUP)
    champion = Registry(settings.home_path / "models").champion()
    now_us = SystemClock().now_us()
    columns = run_columns(
        settings.run,
        span_us=(now_us, now_us),
        status="running",
        inputs=msgspec.json.encode(
            {"terminal": settings.terminal.kind, "login": settings.terminal.login}
        ).decode(),
        settings=shaping(settings),
        feature_set_hash=catalog.FEATURE_SET_HASH,
        model=champion.card.sha256 if champion else "",
    )
    with Writer(where) as writer:
        writer.insert("run", columns)
        terminal = settings.terminal
        instruments.store(writer, {(terminal.source, symbol) for symbol in terminal.symbols})


def shaping(settings: Settings) -> str:
    """The settings that shape a run's rows, and where it runs, as JSON."""
    names = ("features", "signals", "exits", "execution", "models", "collector")
    shaped = {name: getattr(settings, name) for name in names}
    folder = settings.home_path / "strategies"
    own = desk.digest(desks.in_force(settings, SystemClock()), lambda _use: folder)
    where = {"fingerprint": fingerprint(), "strategy": own}
    return msgspec.json.encode({**shaped, **where}).decode()


def predicts(settings: Settings) -> bool:
    """Whether signals can come: a champion, or a strategy that needs no model."""
    from models.serving.registry import Registry

    known = Registry(settings.home_path / "models").champion() is not None
    strategies = desks.in_force(settings, SystemClock()).strategies
    return known or any(not one.follows_model for one in strategies)
