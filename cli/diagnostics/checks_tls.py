"""`tickhouse doctor`: the certificates of the home's doors, and until when they hold."""

import datetime
import stat
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from cli.diagnostics.check import Check
from core import tls
from core.errors import SettingsError

_SOON = datetime.timedelta(days=30)
_RENEW = "tickhouse tls, then start everything on this home again"


def tls_checks(home: Path, now: datetime.datetime) -> Iterator[Check]:
    """Nothing to say of a home without TLS, whose doors are on this machine only."""
    if not tls.authority_of(home):
        return
    yield _keys(home)
    if find_spec("cryptography") is not None:
        yield _certificate(home, now)


def _keys(home: Path) -> Check:
    names = (tls.AUTHORITY_KEY, tls.KEY)
    keys = [path for name in names if (path := tls.directory_of(home) / name).exists()]
    read = [str(path) for path in keys if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if read and sys.platform != "win32":
        remedy = f"remove {tls.directory_of(home)} and run tickhouse tls: they are no secrets now"
        return Check("TLS keys", "failed", f"others may read {', '.join(read)}", remedy)
    return Check("TLS keys", "ok", "only their owner may read them")


def _certificate(home: Path, now: datetime.datetime) -> Check:
    from cli import certificates

    try:
        until = certificates.shown(home).not_valid_after_utc
    except SettingsError as error:
        return Check("TLS certificate", "failed", str(error), _RENEW)
    said = f"until {until:%Y-%m-%d}, {(until - now).days} days"
    if until < now:
        return Check("TLS certificate", "failed", f"expired on {until:%Y-%m-%d}", _RENEW)
    return Check("TLS certificate", "warning" if until - now < _SOON else "ok", said, _RENEW)
