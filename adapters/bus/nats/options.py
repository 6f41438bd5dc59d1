"""Who we are to a NATS server, and whom we take it to be: settings to nats-py's options.

The embedded server knows each process by a password of the home's, which the process finds by
itself (`bus.credentials`); a server elsewhere knows us by user and password, token or certificate.

A certificate of the server's that our CA did not sign, or that is another host's, is refused: there
is no setting that trusts anybody.
"""

import re
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.bus import roles
from adapters.bus.nats.permissions import credential, inbox
from core.credentials import secret as secret_of
from core.errors import SettingsError
from core.sections import BusSettings

_ODD = re.compile(r"[^A-Za-z0-9_.-]")
_USER_IN_URL = re.compile(r"(//)[^/@]*@")
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "")


def connect_options(settings: BusSettings, role: str) -> dict[str, Any]:
    """Options of a connection beyond its URL.

    Args:
        settings: of the server.
        role: as whom we come, where the server's credentials are the home's.

    Raises:
        SettingsError: a user without a password, a certificate without its key, a file that
            cannot be read, or nobody has that role.
    """
    options = _own(settings, role) if settings.credentials else _given(settings)
    user = options.get("user") or urlsplit(settings.url).username or role
    options["inbox_prefix"] = inbox(_ODD.sub("_", user))
    if is_encrypted(settings):
        options["tls"] = _context(settings)
    return options


def may_shape(settings: BusSettings, role: str) -> bool:
    """Whether we may change how topics are kept; elsewhere the server knows, and says so."""
    return not settings.credentials or roles.ROLES[role].shapes


def without_secret(url: str) -> str:
    """A server's address for people and logs."""
    return _USER_IN_URL.sub(r"\1...@", url)


def _own(settings: BusSettings, role: str) -> dict[str, Any]:
    name = roles.checked(role)
    return {"user": name, "password": secret_of(Path(settings.credentials), credential(name))}


def _given(settings: BusSettings) -> dict[str, Any]:
    if bool(settings.user) != bool(settings.password):
        raise SettingsError("bus.user and bus.password go together (TICKHOUSE_BUS__PASSWORD)")
    options: dict[str, Any] = {}
    if settings.user:
        options = {"user": settings.user, "password": settings.password}
    if settings.token:
        options["token"] = settings.token
    return options


def is_encrypted(settings: BusSettings) -> bool:
    """Whether nothing but TLS is spoken."""
    return bool(settings.ca) or settings.url.startswith("tls://")


def is_local(settings: BusSettings) -> bool:
    """Whether the server is on this machine."""
    return (urlsplit(settings.url).hostname or "") in _LOOPBACK


def _context(settings: BusSettings) -> ssl.SSLContext:
    if bool(settings.certificate) != bool(settings.key):
        raise SettingsError("bus.certificate and bus.key go together (TICKHOUSE_BUS__KEY)")
    try:
        context = ssl.create_default_context(cafile=settings.ca or None)
        if settings.certificate:
            context.load_cert_chain(settings.certificate, settings.key)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(filter(None, (settings.ca, settings.certificate, settings.key)))
        raise SettingsError(
            f"{files}: {error}; PEM files are needed (TICKHOUSE_BUS__CA)"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
