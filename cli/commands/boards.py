"""`tickhouse boards push|check --url URL --token-file FILE`: our boards in somebody's Grafana."""

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
    check = actions.add_parser("check", help="push, ask every panel and rule, one verdict")
    for action in (push, check):
        action.add_argument("--url", required=True, help="of Grafana, as http://127.0.0.1:3000")
        action.add_argument("--token", help=f"of a service account; better in {_TOKEN} or a file")
        action.add_argument(
            "--token-file", type=Path, metavar="FILE", help="first line is the token"
        )
    check.add_argument("--screenshots", type=Path, metavar="DIR", help="pictures, with Chromium")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Push, and say what became of each board; or go through the list of `check`."""
    if namespace.action == "check":
        return _check(namespace)
    from dashboards.grafana.push import push

    table = Table("board", "", "at")
    for board in push(namespace.url, _token(namespace)):
        table.add_row(board.title, board.outcome, board.url)
    output.console(highlight=False).print(table)
    return 0


def _check(namespace: argparse.Namespace) -> int:
    """Exit code 1 when something is not good."""
    from dashboards.grafana import screenshots
    from dashboards.grafana.check import check, verdict

    console, findings = output.console(highlight=False, soft_wrap=True), []
    for finding in check(namespace.url, _token(namespace)):
        console.print(f"{finding.state:4}  {finding.part}: {finding.says}", markup=False)
        findings.append(finding)
    if namespace.screenshots:
        for finding in screenshots.take(namespace.url, namespace.screenshots):
            console.print(f"{finding.state:4}  {finding.part}: {finding.says}", markup=False)
            findings.append(finding)
    console.print(verdict(namespace.url, findings), markup=False)
    return 1 if any(finding.state == "bad" for finding in findings) else 0


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
