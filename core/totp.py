"""One-time codes of an authenticator app: RFC 6238, SHA-1, six digits, a new one every 30 seconds.

The secret of a person lies in `<home>/credentials/totp.NAME`, made when he enrols. Who checks a
code remembers the last step that was used, for the RFC lets each code count once.
"""

import base64
import hashlib
import hmac
import struct
from pathlib import Path
from urllib.parse import quote

from core import credentials

STEP_S, _DIGITS = 30, 6
_SLACK = 1  # steps that a phone's clock may be off, either way


def step_of(time_us: int) -> int:
    """The step of a time in microseconds since 1970."""
    return time_us // (STEP_S * 1_000_000)


def code(secret: bytes, step: int) -> str:
    """The code of a step (RFC 4226, section 5.3)."""
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0xF
    (number,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(number & 0x7FFFFFFF) % 10**_DIGITS:0{_DIGITS}d}"


def step_matched(secret: bytes, given: str, time_us: int) -> int | None:
    """The step whose code was given, of now or one beside it; None for a wrong one.

    All are compared, each in constant time, so that how long it takes says nothing.
    """
    now, match = step_of(time_us), None
    for step in range(now - _SLACK, now + _SLACK + 1):
        if hmac.compare_digest(code(secret, step).encode(), given.encode("utf-8", "replace")):
            match = step
    return match


def path_in(home: Path, name: str) -> Path:
    """Where a person's secret lies, once he has enrolled."""
    return credentials.directory_of(home) / f"totp.{name}"


def secret_of(home: Path, name: str) -> bytes:
    """A person's secret, made at the first call.

    Raises:
        SettingsError: others may read its file, or it holds no secret of ours.
    """
    text = credentials.secret(credentials.directory_of(home), f"totp.{name}")
    return base64.urlsafe_b64decode(text + "=")  # 32 bytes


def address(secret: bytes, name: str, issuer: str = "Tickhouse") -> str:
    """What an authenticator app takes in (`otpauth://`, Google's key URI format)."""
    return f"otpauth://totp/{quote(issuer)}:{quote(name)}?secret={typed(secret)}&issuer={issuer}"


def typed(secret: bytes) -> str:
    """The secret as it is typed into an app."""
    return base64.b32encode(secret).decode().rstrip("=")
