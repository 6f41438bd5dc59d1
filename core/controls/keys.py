"""A person's key: Ed25519, encrypted by a passphrase, in a folder outside every home.

Whoever owns a home's files can replace all of them; what he cannot do is sign. So no key may lie
in a home, and the file of one is of no use without the passphrase that its owner knows.
"""

import hashlib
import re
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core import durable
from core.credentials import read_private
from core.errors import InputError, SettingsError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]{0,63}")
_LEAST_PASSPHRASE = 12
_SALT = re.compile(rb"scrypt ([0-9a-f]{32})\n")
# As for passwords (core.identity): 16 MiB and five passes for each guess at a stolen file. What
# PKCS#8 does by itself is two thousand rounds of SHA-256, half a millisecond.
_N, _R, _P, _MAXMEM = 2**14, 8, 5, 64 * 2**20


def path_in(folder: Path, name: str) -> Path:
    """Where a person's private key lies; the public one has `.pub` instead of `.key`.

    Raises:
        SettingsError: nobody can be called so.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{name!r}: name people with letters, digits and _ . @ -")
    return folder / f"{name}.key"


def public_path_in(folder: Path, name: str) -> Path:
    """Where a person's public key lies: a line of 64 hex digits."""
    return path_in(folder, name).with_suffix(".pub")


def refuse_inside(folder: Path, home: Path) -> None:
    """Keys and trust within the home would be changed by whoever changes the home.

    Raises:
        SettingsError: the folder is inside.
    """
    if folder.resolve().is_relative_to(home.resolve()):
        raise SettingsError(f"{folder} is inside {home}: keys and trust must lie outside it")


def generate(folder: Path, home: Path, name: str, passphrase: str) -> str:
    """Make a person's key pair; the public key, hex.

    Raises:
        SettingsError: inside the home, there is one, or the passphrase is short.
    """
    refuse_inside(folder, home)
    path = path_in(folder, name)
    if path.exists():
        raise SettingsError(f"{path} exists and is not overwritten: it may be the only copy")
    if len(passphrase) < _LEAST_PASSPHRASE:
        raise SettingsError(f"a passphrase has at least {_LEAST_PASSPHRASE} characters")
    key, salt = Ed25519PrivateKey.generate(), secrets.token_bytes(16)
    encrypted = b"scrypt %s\n" % salt.hex().encode() + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(_stretched(passphrase, salt)),
    )
    public = public_of(key)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.write(public_path_in(folder, name), public.encode() + b"\n")
    if not durable.create(path, encrypted, durable.PRIVATE):
        raise SettingsError(f"{path} exists and is not overwritten: it may be the only copy")
    return public


def load(folder: Path, home: Path, name: str, passphrase: str) -> Ed25519PrivateKey:
    """A person's private key.

    Raises:
        SettingsError: inside the home, no key, another passphrase.
    """
    refuse_inside(folder, home)
    path = path_in(folder, name)
    try:
        content = read_private(path)
        salt = _SALT.match(content)
        stretched = _stretched(passphrase, bytes.fromhex(salt[1].decode())) if salt else None
        key = serialization.load_pem_private_key(content[salt.end() if salt else 0 :], stretched)
    except OSError as error:
        raise SettingsError(
            f"{path}: {error.strerror}; {name} has no key here: tickhouse keys new {name}"
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{path}: another passphrase, or no key; nothing was signed") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{path}: not an Ed25519 key; make one: tickhouse keys new {name}")
    return key


def _stretched(passphrase: str, salt: bytes) -> bytes:
    secret = passphrase.encode("utf-8", "surrogateescape")
    return hashlib.scrypt(secret, salt=salt, n=_N, r=_R, p=_P, maxmem=_MAXMEM).hex().encode()


def public_of(key: Ed25519PrivateKey) -> str:
    """Its public half, hex."""
    return key.public_key().public_bytes_raw().hex()


def read_public(path: Path) -> str:
    """A public key from its file, hex.

    Raises:
        InputError: the file holds none.
    """
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"{error}; name the .pub of a person's key") from error
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise InputError(str(path), "no public key: 64 hex digits, as `tickhouse keys new` writes")
    return text


def known(folder: Path) -> dict[str, str]:
    """Whose keys lie in a folder: name to public key."""
    return {path.stem: read_public(path) for path in sorted(folder.glob("*.pub"))}


def fits(public: str, content: bytes, signature: str) -> bool:
    """Whether a signature over these bytes was made with the key of this public one."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True
