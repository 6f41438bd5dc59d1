"""`tickhouse boards push --url URL --token-file FILE`: our boards into a Grafana that is there."""

import argparse
import os
from pathlib import Path

from rich.table import Table

from cli.commands.printed import output
from core.errors import SettingsError
from core.settings import Settings

_TOKEN = "GRAFANA_TOKEN"  # noqa: S105 - the variable's name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where, and the secret; which is best not an argument, as others can read those."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    push = actions.add_parser("push", help="create or update the Tickhouse boards")
    push.add_argument("--url", required=True, help="of Grafana, as http://127.0.0.1:3000")
    push.add_argument("--token", help=f"of a service account; better in {_TOKEN} or a file")
    push.add_argument("--token-file", type=Path, metavar="FILE", help="first line is the token")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Push, and say what became of each board."""
    from dashboards.grafana.push import push

    table = Table("board", "", "at")
    for board in push(namespace.url, _token(namespace)):
        table.add_row(board.title, board.outcome, board.url)
    output.console(highlight=False).print(table)
    return 0


def _token(namespace: argparse.Namespace) -> str:
    if namespace.token_file:
        try:
            lines = namespace.token_file.read_text().splitlines()
        except OSError as error:
            raise SettingsError(f"--token-file {namespace.token_file}: {error.strerror}") from error
        return lines[0].strip() if lines else ""
    token = namespace.token or os.environ.get(_TOKEN, "")
    if not token:
        raise SettingsError(f"no token: give --token-file FILE, or set {_TOKEN}")
    return str(token)
