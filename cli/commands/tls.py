"""`tickhouse tls`: certificates for every door of the home, by an authority of its own or given."""

import argparse
import datetime
from pathlib import Path

from cli import certificates
from core import tls
from core.errors import InputError
from core.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Names, how long, or certificates that somebody else signed."""
    parser.add_argument(
        "--name", action="append", default=[], metavar="HOST",
        help="by which others reach this machine, besides 127.0.0.1 and localhost; may be repeated",
    )  # fmt: skip
    parser.add_argument("--days", type=int, default=certificates.DAYS, help="it is valid for")
    parser.add_argument("--certificate", type=Path, metavar="PEM", help="given: the whole chain")
    parser.add_argument("--key", type=Path, metavar="PEM", help="of the given one")
    parser.add_argument("--authority", type=Path, metavar="PEM", help="who signed the given one")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Make or take them, and say what was made."""
    home, now = settings.home_path, datetime.datetime.now(datetime.UTC)
    given = (namespace.certificate, namespace.key, namespace.authority)
    if any(given):
        if not all(given):
            raise InputError("tls", "--certificate, --key and --authority go together")
        certificates.take(home, *given, now)
    else:
        certificates.issue(home, namespace.name, now, namespace.days)
    shown = certificates.shown(home)
    print(f"for {', '.join(certificates.names_of(shown))}")
    print(f"until {shown.not_valid_after_utc:%Y-%m-%d}; run this again before, to renew it")
    print(f"clients trust {tls.authority_of(home)}")
    print("stop everything on this home and start it again: its doors then speak TLS only")
    return 0
