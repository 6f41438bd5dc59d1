"""`python -m warehouse --home DIR --port P`: the warehouse process.

It listens on loopback unless told otherwise, which needs users with passwords. First it gives up
what it will not need, and only then loads the engine: a thread keeps what it had when it was made.
"""

import argparse
import logging
import os
import sys
from pathlib import Path

from core import credentials, garbage, home_users, identity, log, settings, tls
from core.errors import TickhouseError
from warehouse import confinement

#: Where the engine may write, below the home.
_WRITTEN = ("warehouse", "run", "backups")
#: Freed pages go after a second instead of five, and nothing is kept for a profiler.
_ALLOCATOR = "dirty_decay_ms:1000,prof:false"
_log = logging.getLogger("warehouse")


def main(argv: list[str] | None = None) -> int:
    """Serve until told to stop. Returns the exit status."""
    garbage.spare_start()
    options = _options(argv)
    home = Path(options.home).resolve()
    log.setup("warehouse")
    written = [home / name for name in _WRITTEN]
    temporary = home / "warehouse" / "tmp"
    try:
        # Later none of these can be read or made.
        config, users = settings.load(), identity.path_in(home)
        own = home_users.known(credentials.directory_of(home))
        door = tls.serving(home)
        for folder in (*written, temporary, users.parent):
            folder.mkdir(parents=True, exist_ok=True)
    except TickhouseError as error:
        _log.error("%s", error)
        return 1
    os.putenv("TMPDIR", str(temporary))  # the engine writes there while it is imported
    os.putenv("JE_MALLOC_CONF", _ALLOCATOR)
    missing = confinement.enter(written, [users.parent, *confinement.code()])
    if missing:
        _log.warning("it keeps all rights of its user: %s", missing)
    from warehouse import process  # with the engine, whose threads begin when it is imported

    return process.serve(home, config, options.listen, options.port, users, own, door)


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m warehouse")
    parser.add_argument("--home", default=".tickhouse", help="data goes to HOME/warehouse")
    parser.add_argument("--port", type=int, default=8123, help="0 chooses a free one")
    parser.add_argument(
        "--listen",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="IPv4 address; any but loopback needs users with passwords (tickhouse users add)",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
