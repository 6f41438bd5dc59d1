"""The address of a provider: looked up once, checked, and asked under what was checked.

A name may resolve to anything, at a second look to something else. So the connection goes to the
very address that was checked, while the certificate is held against the name.
"""

import http.client
import ipaddress
import socket
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

from core.errors import SettingsError, UnavailableError


class Place(NamedTuple):
    """Where a provider answers."""

    host: str
    port: int
    path: str
    tls: bool


def place_of(address: str) -> Place:
    """The parts of an address.

    Raises:
        SettingsError: it is none that a provider is asked at.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"ask.provider: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise SettingsError("ask.provider: write https://host/v1, without a name or password")
    if parts.query or parts.fragment:
        raise SettingsError("ask.provider: an address without ? and #")
    tls = parts.scheme == "https"
    if not tls and not _is_loopback(parts.hostname):
        raise SettingsError("ask.provider: http:// only for a provider on this machine: https://")
    path = parts.path.rstrip("/") + "/chat/completions"
    return Place(parts.hostname, port or (443 if tls else 80), path, tls)


def connected(place: Place, timeout_s: float, *, private: bool) -> http.client.HTTPConnection:
    """A connection to an address of the host that may be asked.

    Raises:
        UnavailableError: it has none, or does not answer.
        SettingsError: its address is one that must not be asked.
    """
    address = _checked(place, private=private)
    try:
        connection = socket.create_connection((address, place.port), timeout_s)
        if place.tls:
            connection = ssl.create_default_context().wrap_socket(
                connection, server_hostname=place.host
            )
    except OSError as error:
        raise UnavailableError(f"{place.host} does not answer: {error}") from error
    answering = http.client.HTTPConnection(place.host, place.port, timeout=timeout_s)
    answering.sock = connection
    return answering


def _checked(place: Place, *, private: bool) -> str:
    try:
        known = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnavailableError(f"{place.host} has no address: {error}") from error
    addresses = [str(entry[4][0]) for entry in known]
    for address in addresses:  # every one: which is asked is not ours to say
        _check(place.host, address, private=private)
    return addresses[0]


def _check(host: str, address: str, *, private: bool) -> None:
    """What a name leads to: the world; this machine when the name says so; the own network if set.

    Raises:
        SettingsError: it must not be asked.
    """
    one = ipaddress.ip_address(address.partition("%")[0])
    one = getattr(one, "ipv4_mapped", None) or one
    if one.is_link_local or one.is_multicast or one.is_unspecified:  # 169.254.169.254 is there
        raise SettingsError(f"ask.provider: {host} is {address}, which is never asked")
    if one.is_loopback:
        if not _is_loopback(host):
            raise SettingsError(f"ask.provider: {host} leads to this machine: name it 127.0.0.1")
    elif not one.is_global and not private:
        raise SettingsError(
            f"ask.provider: {host} is {address}, of the own network: TICKHOUSE_ASK__PRIVATE=on"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
