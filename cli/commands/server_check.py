"""`tickhouse server-check`: all that Tickhouse asks of a ClickHouse server, once, and one verdict.

Makes databases of its own and drops them; of what is there already it reads the columns' types.
"""

import argparse
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from cli.commands.printed import output
from cli.diagnostics.check import Check
from cli.diagnostics.server_parts import PARTS, server
from cli.diagnostics.server_trial import ServerTrial
from core.errors import SettingsError
from core.home_users import SETUP, sign_in
from core.sections import ClickhouseSettings
from core.settings import Settings

_STATES = {"ok": "good", "warning": "note", "failed": "bad"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where, and as whom; by default as the settings say."""
    parser.add_argument("--url", help="of its HTTP interface, as http://127.0.0.1:8123")
    parser.add_argument("--user", help="who may make and drop databases")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="first line is it")
    parser.add_argument("--cluster", help="name in system.clusters; by default one server")
    parser.add_argument("--ca", help="PEM file of who signed its certificate")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Try everything; 0 when the verdict is good, 1 otherwise, 130 after Ctrl-C."""
    console, checks = output.console(highlight=False, soft_wrap=True), list[Check]()
    where = _where(namespace, settings.clickhouse)
    trial = ServerTrial(where)
    try:
        with _stopped_by_signal(), closing(trial.run(server, PARTS)) as parts:
            for check in parts:
                remedy = f" -> {check.remedy}" if check.remedy else ""
                console.print(
                    f"{_STATES[check.result]:4}  {check.name}: {check.found}{remedy}", markup=False
                )
                checks.append(check)
    except KeyboardInterrupt:
        left = ", ".join(trial.left)
        says = f"drop by hand: {left}" if left else f"databases {trial.name}* are dropped"
        console.print(f"stopped; {says}", markup=False)
        return 130
    finally:
        trial.close()
    console.print(verdict(where, trial.version, checks), markup=False)
    return 1 if any(check.result == "failed" for check in checks) else 0


def verdict(where: ClickhouseSettings, version: str, checks: list[Check]) -> str:
    """One line to send back; no address and no password in it."""
    kind = f"cluster of {_said(checks, 'cluster')}" if where.cluster else "one server"
    server_kind = f"ClickHouse {version or 'unknown'}, {kind}"
    bad = [check for check in checks if check.result == "failed"]
    notes = [check.name for check in checks if check.result == "warning"]
    if bad:
        faults = "; ".join(f"{check.name}: {check.found}" for check in bad)
        host = urlsplit(where.url).hostname or "127.0.0.1"
        return f"VERDICT not good: {server_kind}: {faults.replace(host, '<server>')}"
    return f"VERDICT good: {server_kind}" + (f"; notes: {', '.join(notes)}" if notes else "")


def _said(checks: list[Check], name: str) -> str:
    return next((check.found for check in checks if check.name == name), "unknown size")


def _where(namespace: argparse.Namespace, settings: ClickhouseSettings) -> ClickhouseSettings:
    # Whoever names a server signs in there by hand; the credentials of a home are for its own.
    given = {"credentials": ""} if namespace.url or namespace.user else {}
    for name in ("url", "user", "cluster", "ca"):
        if (value := getattr(namespace, name)) is not None:
            given[name] = value
    if namespace.password_file:
        try:
            lines = namespace.password_file.read_text().splitlines()
        except OSError as error:
            raise SettingsError(
                f"--password-file {namespace.password_file}: {error.strerror}"
            ) from error
        given["password"] = lines[0].strip() if lines else ""
    return sign_in(msgspec.structs.replace(settings, **given), SETUP)


@contextmanager
def _stopped_by_signal() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does: nothing is left behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
