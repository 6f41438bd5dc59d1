"""Who people are: fields of each person, encrypted under a key of that person alone.

A folder outside the home. `people/P` holds the fields of pseudonym P (AES-256-GCM), `keys/P` the
key. Erasing is destroying the key: what copies of `people` exist stay unreadable for ever. So
`keys` and `names` belong in no backup that outlives an erasure. Every access is a chained event of
the home's audit trail, written before anything is shown; it names fields, never what is in them.
"""

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.retention.holds import ERASED
from core import audit_log, durable, pseudonyms
from core.audit_log import AuditLine
from core.clock import Clock
from core.credentials import read_private
from core.errors import InputError, SettingsError
from core.settings import Settings

ADDED, REVEALED, CHANGED = "identity added", "identity revealed", "identity changed"
_NONCE, _KEY = 12, 32


class Vault:
    """A home's vault. Every method that touches a person notes it first, or does nothing.

    Raises:
        SettingsError: none is set, or it lies in the home.
    """

    def __init__(self, settings: Settings, clock: Clock, by: str, *, known: bool = False) -> None:
        folder = pseudonyms.vault_of(settings.privacy, settings.home_path)
        if folder is None:
            raise SettingsError(
                "privacy.vault is not set: name a folder outside the home for who people are"
            )
        self._folder, self._home = folder, settings.home_path
        self._clock, self._by, self._known = clock, by, known

    def add(self, fields: Mapping[str, str], names: Iterable[str], reason: str) -> str:
        """A person; the pseudonym. `names` lead to it from now on.

        Raises:
            SettingsError: no field, or a name leads to somebody else.
        """
        _check(fields, reason)
        names = list(names)
        if any(pseudonyms.lookup(self._folder, name) for name in names):
            raise SettingsError("a name leads to somebody of the vault already; nobody was added")
        pseudonym = pseudonyms.new_pseudonym()
        self._note(ADDED, pseudonym, fields, reason)
        for part in ("people", "keys"):
            (self._folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.create(self._key_path(pseudonym), secrets.token_bytes(_KEY), durable.PRIVATE)
        self._write(pseudonym, fields)
        for name in names:
            pseudonyms.enter(self._folder, name, pseudonym)
        return pseudonym

    def reveal(self, pseudonym: str, reason: str) -> dict[str, str]:
        """The fields of a person.

        Raises:
            SettingsError: nobody is called so.
            InputError: they were erased, or changed on disk.
        """
        key, sealed = self._key(pseudonym), self._sealed(pseudonym)
        self._note(REVEALED, pseudonym, (), reason)
        try:
            plain = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], pseudonym.encode())
        except (InvalidTag, ValueError) as error:
            raise InputError(pseudonym, "is not as it was written; bring the vault back") from error
        return msgspec.json.decode(plain, type=dict[str, str])

    def change(self, pseudonym: str, fields: Mapping[str, str], reason: str) -> None:
        """Other values for some fields; the rest stays.

        Raises:
            SettingsError, InputError: see `reveal`.
        """
        _check(fields, reason)
        before = self.reveal(pseudonym, reason)
        self._note(CHANGED, pseudonym, fields, reason)
        self._write(pseudonym, before | dict(fields))

    def erase(self, pseudonym: str, reason: str, basis: str) -> None:
        """Destroy the key of a person, and what leads to them; for ever.

        Raises:
            SettingsError: nobody is called so.
            InputError: they were erased before.
        """
        self._key(pseudonym)
        self._note(ERASED, pseudonym, (), reason, basis)
        path = self._key_path(pseudonym)
        with path.open("r+b") as file:
            file.write(bytes(_KEY))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        durable.sync_directory(path.parent)
        pseudonyms.forget(self._folder, pseudonym)

    def check_there(self, pseudonym: str) -> None:
        """Whether there is such a person, and not erased.

        Raises:
            SettingsError, InputError: see `erase`.
        """
        self._key(pseudonym)

    def _key(self, pseudonym: str) -> bytes:
        if not pseudonyms.is_pseudonym(pseudonym):
            raise SettingsError("nobody of the vault is called so; give a pseudonym, as p-...")
        try:
            return read_private(self._key_path(pseudonym))
        except FileNotFoundError:
            if (self._folder / "people" / pseudonym).exists():
                raise InputError(pseudonym, "was erased: its key is destroyed") from None
            raise SettingsError(f"{pseudonym}: nobody of the vault is called so") from None

    def _sealed(self, pseudonym: str) -> bytes:
        try:
            return read_private(self._folder / "people" / pseudonym)
        except OSError as error:
            raise InputError(pseudonym, f"{error}; bring the vault back from a copy") from error

    def _key_path(self, pseudonym: str) -> Path:
        return self._folder / "keys" / pseudonym

    def _write(self, pseudonym: str, fields: Mapping[str, str]) -> None:
        nonce, plain = os.urandom(_NONCE), msgspec.json.encode(dict(fields))
        cipher = AESGCM(self._key(pseudonym))
        sealed = nonce + cipher.encrypt(nonce, plain, pseudonym.encode())
        durable.write(self._folder / "people" / pseudonym, sealed, durable.PRIVATE)

    def _note(
        self, action: str, pseudonym: str, fields: Iterable[str], reason: str, basis: str = ""
    ) -> None:
        line = AuditLine(
            ts_us=self._clock.now_us(), by=self._by, authenticated=self._known, action=action,
            detail=", ".join(fields), subject=pseudonym, reason=reason,
            payload={"basis": basis} if basis else {},
        )  # fmt: skip
        audit_log.append(self._home, line)


def _check(fields: Mapping[str, str], reason: str) -> None:
    if not fields:
        raise SettingsError("no field: give some, as --field name")
    if empty := [name for name, value in fields.items() if not name.isidentifier() or not value]:
        raise SettingsError(f"{', '.join(empty)}: a field has a plain name and a value")
    if any(value.casefold() in reason.casefold() for value in fields.values()):
        raise SettingsError("the reason names the person, and would stay: say it otherwise")
