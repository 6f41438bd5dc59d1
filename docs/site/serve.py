"""Serves the site on 127.0.0.1, rebuilt when a page changes: `make docs`, `make docs PORT=8000`."""

import socket
import sys
from pathlib import Path

from mkdocs.__main__ import cli

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> None:
    """Serve until Ctrl-C."""
    port = int(arguments[0]) if arguments else _free_port()
    cli(["serve", "--config-file", str(ROOT / "mkdocs.yml"), "--dev-addr", f"127.0.0.1:{port}"])


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


if __name__ == "__main__":
    main(sys.argv[1:])
