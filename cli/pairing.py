"""One code pairs the agent beside a terminal with a home: address, name, password, authority.

The home writes it, the terminal's host reads it once. The password is that of the role `agent`,
which hears and answers requests at its door and can do nothing else on the bus.
"""

import base64
import hashlib
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from adapters.bus.nats.permissions import credential
from core import durable, settings_file, tls
from core.credentials import directory_of, secret, write_private
from core.errors import InputError, SettingsError
from core.settings import Settings

ROLE = "agent"
_BEGINS = "tickhouse-agent-1."
_CHECK = 6  # bytes of SHA-256 at the end: a code that was cut or mistyped says so


class Invitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the agent has to know."""

    url: str  # tls://host:port
    name: str  # of the agent
    password: str
    authority: str  # PEM of who signed the server's certificate


def invite(home: Path, host: str, port: int, name: str) -> str:
    """The code for an agent that reaches this home's bus as `host:port`.

    Raises:
        SettingsError: the home has no TLS, or its credential is not ours.
    """
    authority = tls.authority_of(home)
    if not authority:
        raise SettingsError(f"{home} has no certificates: tickhouse tls --name {host}")
    password = secret(directory_of(home), credential(ROLE))
    shown = f"[{host}]" if ":" in host else host
    return encode(
        Invitation(f"tls://{shown}:{port}", name, password, Path(authority).read_text("ascii"))
    )


def encode(invitation: Invitation) -> str:
    """One word: letters, digits, `-`, `_` and a dot; the certificate as its bytes."""
    der = ssl.PEM_cert_to_DER_cert(invitation.authority)
    parts = (invitation.url, invitation.name, invitation.password, der)
    content = msgspec.msgpack.encode(parts)
    check = hashlib.sha256(content).digest()[:_CHECK]
    return _BEGINS + base64.urlsafe_b64encode(content + check).decode().rstrip("=")


def decode(code: str) -> Invitation:
    """What a code says; spaces and line ends that a window put in do no harm.

    Raises:
        InputError: it is none, was cut or mistyped, or does not say what one says.
    """
    word = "".join(code.split())
    if not word.startswith(_BEGINS):
        raise InputError("code", f"begins with {_BEGINS}; `tickhouse agent invite` prints one")
    encoded = word.removeprefix(_BEGINS)
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True)
        content, check = raw[:-_CHECK], raw[-_CHECK:]
        if hashlib.sha256(content).digest()[:_CHECK] != check:
            raise ValueError("its end does not fit")
        url, name, password, der = msgspec.msgpack.decode(content, type=tuple[str, str, str, bytes])
        where = urlsplit(url)
        if where.scheme != "tls" or not where.hostname or not where.port:
            raise ValueError(f"{url} is no address of a bus with TLS")
        return Invitation(url, name, password, ssl.DER_cert_to_PEM_cert(der))
    except (ValueError, msgspec.DecodeError) as error:
        raise InputError(
            "code", f"was cut or mistyped ({error}); copy the whole line once more"
        ) from error


def accept(invitation: Invitation, settings: Settings, folder: Path) -> Path:
    """Write what it says into the home and into the folder's `tickhouse.toml`; that file.

    Settings come last: a pairing that was cut short is none.

    Raises:
        SettingsError: settings there say something else, or this is the invited home itself.
    """
    if tls.directory_of(settings.home_path).exists():
        raise SettingsError(
            f"{settings.home_path} has a bus of its own: pair in another folder, or with another "
            "TICKHOUSE_HOME, on the terminal's host"
        )
    kept = settings.home_path / "pairing"
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = kept / tls.AUTHORITY
    write_private(kept / credential(ROLE), invitation.password)
    durable.write(authority, invitation.authority.encode())
    bus = {"url": invitation.url, "ca": str(authority), "credentials": str(kept)}
    terminal = {"kind": "real", "agent": invitation.name}
    return settings_file.add(folder, {"bus": bus, "terminal": terminal})
