"""TLS of a home: `<home>/tls/`, made by `tickhouse tls`. Where it is, every door speaks TLS only,
and whoever goes to one of them trusts the authority in there and nobody else.

The folder is the switch: a process looks once, when it starts. Python's `ssl` alone is used here,
so that the slimmest host reads what another one made.
"""

import ssl
from functools import cache
from pathlib import Path

from core.errors import SettingsError

AUTHORITY, CERTIFICATE = "authority.pem", "server.pem"
AUTHORITY_KEY, KEY = "authority.key", "server.key"
_RENEW = "`tickhouse tls` makes a new one; then start everything on this home again"
_UNTRUSTED = {18, 19, 20, 21}  # OpenSSL's codes: signed by itself, or by somebody unknown
_EXPIRED, _NOT_YET = 10, 9
_OTHER_NAME = {62, 64}


def directory_of(home: Path) -> Path:
    """Where a home keeps them."""
    return home / "tls"


def authority_of(home: Path) -> str:
    """The file of who signed the home's certificate, to verify with; empty without TLS."""
    path = directory_of(home) / AUTHORITY
    return str(path) if path.exists() else ""


def scheme(home: Path, plain: str = "http", secured: str = "https") -> str:
    """How a door's address begins."""
    return secured if authority_of(home) else plain


def files(home: Path) -> tuple[str, str] | None:
    """Certificate and key that a server of the home shows; None without TLS."""
    folder = directory_of(home)
    return (str(folder / CERTIFICATE), str(folder / KEY)) if authority_of(home) else None


def serving(home: Path) -> ssl.SSLContext | None:
    """What a server of the home speaks; None without TLS. Read once in a process, which may have
    given up the right to read them since.

    Raises:
        SettingsError: a file is missing, or is no certificate.
    """
    shown = files(home)
    return _serving(*shown) if shown else None


@cache
def _serving(*shown: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(*shown)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"{shown[0]}, {shown[1]}: {error}; {_RENEW}") from error
    return context


def trusting(authority: str) -> ssl.SSLContext | None:
    """What a client speaks who trusts that file alone; None for an empty one.

    Raises:
        SettingsError: the file is missing, or is no certificate.
    """
    if not authority:
        return None
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"{authority}: {error}; a PEM file is needed") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def trusted(home: Path) -> ssl.SSLContext | None:
    """What a client of the home's doors speaks; None without TLS."""
    return trusting(authority_of(home))


def why(error: BaseException) -> str:
    """What a failed connection means for TLS, and what to do; empty if it is not about that."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__ or _wrapped(cause)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _unverified(cause)
    if isinstance(cause, ssl.SSLError):
        return (
            "the two sides do not agree on TLS: after `tickhouse tls` everything on the home is "
            "started again, and addresses begin with https or tls"
        )
    if isinstance(error, ConnectionResetError) or "without response" in str(error):
        return (
            "it hung up at once: if it speaks TLS (`tickhouse tls`), its address begins with https "
            "or tls, and TICKHOUSE_CLICKHOUSE__CA or TICKHOUSE_BUS__CA names its authority"
        )
    return ""


def _unverified(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _EXPIRED:
        return f"its certificate has expired: {_RENEW}"
    if error.verify_code == _NOT_YET:
        return "its certificate is not valid yet: look at the clocks of both machines"
    if error.verify_code in _OTHER_NAME:
        return "its certificate is for other names: `tickhouse tls --name NAME` adds this one"
    if error.verify_code in _UNTRUSTED:
        return (
            "its certificate is not of the authority that is trusted here: take authority.pem of "
            "the home that serves it, or it is an impostor"
        )
    return f"its certificate cannot be trusted: {error.verify_message}"


def _wrapped(error: BaseException) -> BaseException | None:
    """The reason that urllib and urllib3 carry beside the chain."""
    reason = getattr(error, "reason", None) or next(iter(error.args), None)
    return reason if isinstance(reason, BaseException) and reason is not error else None
