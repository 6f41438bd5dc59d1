"""Backups on a server of S3's API: Amazon's, or any that speaks it.

A backup is a multipart upload, which the server shows when its last part is in, and which a failure
takes back. One that was killed leaves parts that nobody sees and somebody pays for: give the bucket
a rule that aborts unfinished uploads after a day.
"""

import base64
import hashlib
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore import store as stores
from obstore.exceptions import BaseError

from adapters.offsite.store import ENDING, Stored
from core.errors import InputError, SettingsError, UnavailableError
from core.sections import BackupSettings

if TYPE_CHECKING:
    from obstore.store import S3Config

_PART = 32 << 20  # bytes; ten thousand of them are an upload's most
_BLOCK = 1 << 20
_TIMEOUT_S = 60


class S3Store:
    """See `adapters.offsite.store.Store`.

    Raises:
        SettingsError: no bucket, or an endpoint that is none.
    """

    def __init__(
        self, settings: BackupSettings, ending: str = ENDING, *, locks: bool = False
    ) -> None:
        url, endpoint = urlsplit(settings.destination), settings.s3_endpoint
        if not url.netloc:
            raise SettingsError("backup.destination: give s3://bucket/prefix")
        if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
            raise SettingsError("backup.s3_endpoint: give https://host:port")
        self._where, self._ending, self._locks = settings.destination, ending, locks
        self._store = stores.S3Store(
            url.netloc,
            prefix=url.path.strip("/") or None,
            client_options={"allow_http": True, "timeout": timedelta(seconds=_TIMEOUT_S)},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            config=_config(settings),
        )

    def put(self, name: str, content: Iterable[bytes]) -> int:
        """Store it, in parts; as one where the bucket locks and one will do."""
        sent = _Counted(content)
        with self._translated(name):
            first, rest = _begun(sent.blocks(), _PART if self._locks else 0)
            if rest is None:
                self._put_whole(name, first)
            else:
                obstore.put(
                    self._store, name, chain([first], rest), use_multipart=True,
                    chunk_size=_PART, max_concurrency=1,
                )  # fmt: skip
        return sent.size

    def _put_whole(self, name: str, content: bytes) -> None:
        """With its MD5, which a bucket that locks what comes asks for."""
        url = obstore.sign(self._store, "PUT", name, timedelta(minutes=5))
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        headers = {
            "Content-MD5": base64.b64encode(digest).decode(),
            "Content-Type": "application/octet-stream",
        }
        request = urllib.request.Request(url, content, headers, method="PUT")  # noqa: S310
        urllib.request.urlopen(request, timeout=_TIMEOUT_S).close()  # noqa: S310  # obstore's URL

    def locked_until(self, name: str) -> datetime | None:
        """Until when the server lets nobody change or remove it, UTC; None: it does not lock it.

        Raises:
            UnavailableError: it does not say.
        """
        with self._translated(name):
            url = obstore.sign(self._store, "HEAD", name, timedelta(minutes=5))
            request = urllib.request.Request(url, method="HEAD")  # noqa: S310
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                until = answer.headers.get("x-amz-object-lock-retain-until-date", "")
        return datetime.fromisoformat(until) if until else None

    def get(self, name: str) -> Iterator[bytes]:
        """Its blocks."""
        with self._translated(name):
            for block in obstore.get(self._store, name).stream(min_chunk_size=_BLOCK):
                yield bytes(block)

    def listed(self) -> list[Stored]:
        """Those with a name of a backup."""
        with self._translated(""):
            objects = [one for batch in obstore.list(self._store) for one in batch]
        return sorted(
            Stored(o["path"], o["size"]) for o in objects if o["path"].endswith(self._ending)
        )

    def remove(self, name: str) -> None:
        """Its object."""
        with self._translated(name):
            obstore.delete(self._store, name)

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise InputError(f"{self._where}/{name}".rstrip("/"), _first_line(error)) from error
        except (BaseError, OSError) as error:
            raise UnavailableError(f"{self._where}: {_first_line(error)}") from error


class _Counted:
    """A stream whose bytes are counted."""

    def __init__(self, content: Iterable[bytes]) -> None:
        self._content, self.size = content, 0

    def blocks(self) -> Iterator[bytes]:
        """What is sent."""
        for block in self._content:
            self.size += len(block)
            yield block


def _begun(blocks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes] | None]:
    """More than a size of a stream, and what follows; None: it is no more than that."""
    first = bytearray()
    for block in blocks:
        first += block
        if len(first) > size:
            return bytes(first), blocks
    return bytes(first), None if size else blocks


def _config(settings: BackupSettings) -> "S3Config":
    """Without keys in settings the library looks where Amazon's tools keep them."""
    config: S3Config = {"region": settings.s3_region}
    if settings.s3_endpoint:
        config["endpoint"] = settings.s3_endpoint
    if settings.s3_access_key:
        config["access_key_id"] = settings.s3_access_key
        config["secret_access_key"] = settings.s3_secret_key
    return config


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:400]
