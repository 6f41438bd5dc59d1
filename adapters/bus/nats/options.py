"""Who we are to a NATS server, and whom we take it to be: settings to nats-py's options.

A certificate of the server's that our CA did not sign, or that is another host's, is refused: there
is no setting that trusts anybody.
"""

import ssl
from typing import Any
from urllib.parse import urlsplit

from core.errors import SettingsError
from core.sections import BusSettings

_LOOPBACK = ("localhost", "127.0.0.1", "::1", "")


def connect_options(settings: BusSettings) -> dict[str, Any]:
    """Options of a connection beyond its URL.

    Raises:
        SettingsError: a user without a password, a certificate without its key, or a file that
            cannot be read.
    """
    secret = settings.password
    if bool(settings.user) != bool(secret):
        raise SettingsError("bus.user and bus.password go together (TICKHOUSE_BUS__PASSWORD)")
    found: dict[str, Any] = {}
    if settings.user:
        found = {"user": settings.user, "password": secret}
    if settings.token:
        found["token"] = settings.token
    if is_encrypted(settings):
        found["tls"] = _context(settings)
    return found


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
