"""A `clickhouse` binary as the warehouse of `tickhouse up`, for those who ask for it.

`TICKHOUSE_WAREHOUSE__SERVER=clickhouse` starts the binary on PATH on a configuration of ours: HTTP
on the warehouse's loopback port, data in <home>/clickhouse, one user. The embedded warehouse's
data stay where they are, in <home>/warehouse; `tickhouse backup` and `restore` move them.
"""

import hashlib
import re
import shutil
from pathlib import Path
from xml.sax.saxutils import escape

from cli.stack.process_spec import ProcessSpec
from core.errors import SettingsError
from core.settings import Settings

_NAME = re.compile(r"[A-Za-z_]\w*")


def clickhouse_server(settings: Settings, home: Path, port: int) -> ProcessSpec:
    """The binary on PATH, started on a configuration that is written here.

    Raises:
        SettingsError: no binary; an address or a user name that such a server is not given.
    """
    binary = shutil.which("clickhouse")
    if binary is None:
        raise SettingsError(
            "TICKHOUSE_WAREHOUSE__SERVER is clickhouse, but there is no `clickhouse` on PATH: "
            "install it, or unset the setting to use the embedded warehouse, or name a running "
            "server in TICKHOUSE_CLICKHOUSE__URL"
        )
    if settings.warehouse.listen != "127.0.0.1":
        raise SettingsError(
            f"TICKHOUSE_WAREHOUSE__LISTEN is {settings.warehouse.listen!r}, but the server of "
            "`up` listens on loopback only: run a server with users of your own and name it "
            "in TICKHOUSE_CLICKHOUSE__URL"
        )
    directory = home / "clickhouse"
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "config.xml"
    config.touch(mode=0o600)
    config.write_text(_config(settings, directory, port), "utf-8")
    return ProcessSpec(
        "warehouse",
        (binary, "server", f"--config-file={config}"),
        ready_url=f"http://127.0.0.1:{port}/ping",
        stop_stage=4,
    )


def _config(settings: Settings, directory: Path, port: int) -> str:
    user, password = settings.clickhouse.user, settings.clickhouse.password
    if not _NAME.fullmatch(user):
        raise SettingsError(
            f"TICKHOUSE_CLICKHOUSE__USER is {user!r}: give letters, digits and _ only"
        )
    digest = hashlib.sha256(password.encode()).hexdigest()
    secret = f"<password_sha256_hex>{digest}</password_sha256_hex>" if password else "<password/>"
    path = escape(str(directory))
    return f"""<clickhouse>
    <logger><level>warning</level><console>true</console></logger>
    <listen_host>127.0.0.1</listen_host>
    <http_port>{port}</http_port>
    <path>{path}/data/</path>
    <tmp_path>{path}/tmp/</tmp_path>
    <user_files_path>{path}/user_files/</user_files_path>
    <format_schema_path>{path}/format_schemas/</format_schema_path>
    <mark_cache_size>1073741824</mark_cache_size>
    <backups><allowed_path>/</allowed_path></backups>
    <profiles><default/></profiles>
    <quotas><default/></quotas>
    <users>
        <{user}>
            {secret}
            <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <access_management>1</access_management>
        </{user}>
    </users>
    <query_log>
        <database>system</database>
        <table>query_log</table>
        <ttl>event_date + INTERVAL 30 DAY DELETE</ttl>
    </query_log>
</clickhouse>
"""
