"""Backups on a server of S3's API: Amazon's, or any that speaks it.

A backup is a multipart upload, which the server shows when its last part is in, and which a failure
takes back. One that was killed leaves parts that nobody sees and somebody pays for: give the bucket
a rule that aborts unfinished uploads after a day.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
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


class S3Store:
    """See `adapters.offsite.store.Store`.

    Raises:
        SettingsError: no bucket, or an endpoint that is none.
    """

    def __init__(self, settings: BackupSettings) -> None:
        url, endpoint = urlsplit(settings.destination), settings.s3_endpoint
        if not url.netloc:
            raise SettingsError("backup.destination: give s3://bucket/prefix")
        if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
            raise SettingsError("backup.s3_endpoint: give https://host:port")
        self._where = settings.destination
        self._store = stores.S3Store(
            url.netloc,
            prefix=url.path.strip("/") or None,
            client_options={"allow_http": True, "timeout": timedelta(minutes=5)},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            config=_config(settings),
        )

    def put(self, name: str, content: Iterable[bytes]) -> int:
        """Store it, in parts."""
        sent = _Counted(content)
        with self._translated(name):
            obstore.put(
                self._store, name, sent.blocks(), use_multipart=True,
                chunk_size=_PART, max_concurrency=1,
            )  # fmt: skip
        return sent.size

    def get(self, name: str) -> Iterator[bytes]:
        """Its blocks."""
        with self._translated(name):
            for block in obstore.get(self._store, name).stream(min_chunk_size=_BLOCK):
                yield bytes(block)

    def listed(self) -> list[Stored]:
        """Those with a name of a backup."""
        with self._translated(""):
            objects = [one for batch in obstore.list(self._store) for one in batch]
        return sorted(Stored(o["path"], o["size"]) for o in objects if o["path"].endswith(ENDING))

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
