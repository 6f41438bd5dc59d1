"""Encryption of a stream of any length, in pieces, so that neither end holds more than one.

The construction is STREAM, as age uses it: AES-256-GCM over pieces of a mebibyte, whose nonce is
their number and whether they are the last. So no piece can be changed, left out, repeated or moved,
and a stream that was cut off is known for one. The key of each stream is derived from the person's
and a random salt: no nonce is used twice.
"""

import base64
import binascii
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core import durable
from core.errors import InputError, SettingsError

PIECE = 1 << 20  # bytes of the plain stream
_TAG, _SALT, _KEY = 16, 32, 32
_MAGIC = b"tickhouse backup 1\n"
_NAME = 8  # bytes by which a key is known again
_HEADER = len(_MAGIC) + _SALT + _NAME


def make_key(path: Path) -> None:
    """A new key in a file of its own, for its owner's eyes.

    Raises:
        InputError: there is one already; a backup made with it would be lost.
    """
    text = base64.urlsafe_b64encode(secrets.token_bytes(_KEY)) + b"\n"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not durable.create(path, text, durable.PRIVATE):
        raise InputError(str(path), "exists already, and backups may need it: name another file")


def read_key(path: Path) -> bytes:
    """The key of a file.

    Raises:
        SettingsError: no key, or others may read it.
    """
    try:
        if sys.platform != "win32" and path.stat().st_mode & 0o077:
            raise SettingsError(f"{path}: others may read it: chmod 600 {path}")
        key = base64.b64decode(path.read_bytes().strip(), altchars=b"-_", validate=True)
    except (OSError, binascii.Error) as error:
        raise SettingsError(
            f"backup.keyfile {path}: {error}; `tickhouse backup keygen FILE` makes one"
        ) from error
    if len(key) != _KEY:
        raise SettingsError(f"backup.keyfile {path} holds no key of `tickhouse backup keygen`")
    return key


def sealed(plain: Iterable[bytes], key: bytes) -> Iterator[bytes]:
    """The stream, encrypted: a header and its pieces."""
    salt = os.urandom(_SALT)
    header = _MAGIC + salt + _name(key)
    yield header
    cipher = AESGCM(_derived(key, salt))
    for number, (piece, last) in enumerate(_ahead(cut(plain, PIECE))):
        yield cipher.encrypt(_nonce(number, last), piece, header)


def opened(stream: Iterable[bytes], key: bytes, where: str) -> Iterator[bytes]:
    """The plain stream. What was yielded before an error is right; that it is whole says the end.

    Args:
        where: names it in errors.

    Raises:
        InputError: another key, no backup, changed, or cut off.
    """
    pieces = cut(stream, PIECE + _TAG, _HEADER)
    header = next(pieces, b"")
    if not header.startswith(_MAGIC) or len(header) != _HEADER:
        raise InputError(where, "is no backup of Tickhouse's, or its beginning is lost")
    salt, name = header[len(_MAGIC) : -_NAME], header[-_NAME:]
    if name != _name(key):
        raise InputError(where, "was made with another key than that of backup.keyfile")
    cipher = AESGCM(_derived(key, salt))
    for number, (piece, last) in enumerate(_ahead(pieces)):
        try:
            yield cipher.decrypt(_nonce(number, last), piece, header)
        except InvalidTag:
            problem = "was changed or cut off" if last else "was changed"
            raise InputError(
                where, f"{problem} in its mebibyte {number + 1}: use another backup"
            ) from None


def cut(stream: Iterable[bytes], size: int, first: int = 0) -> Iterator[bytes]:
    """The same bytes in pieces of a size, the last shorter, at least one; `first`: size of one
    before them."""
    waiting, want = bytearray(), first or size
    for block in stream:
        waiting += block
        while len(waiting) > want:
            yield bytes(waiting[:want])
            del waiting[:want]
            want = size
    if first and want == first and len(waiting) == first:
        yield bytes(waiting)
        waiting.clear()
    yield bytes(waiting)


def _ahead(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece, and whether it is the last."""
    before: bytes | None = None
    for piece in pieces:
        if before is not None:
            yield before, False
        before = piece
    if before is not None:
        yield before, True


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _derived(key: bytes, salt: bytes) -> bytes:
    return HKDF(SHA256(), _KEY, salt, b"tickhouse backup stream").derive(key)


def _name(key: bytes) -> bytes:
    return HKDF(SHA256(), _NAME, None, b"tickhouse backup key name").derive(key)
