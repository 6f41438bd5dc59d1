"""Pseudonyms of people, and the index by which a name that was typed leads to one.

The index is a folder of the vault: a file per name, called after the name's HMAC, with the
pseudonym in it. So what is written can name a pseudonym while nothing there can be read back into a
name; who only needs this much needs no key of a person, and reads no field of theirs.
"""

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from core import durable
from core.credentials import read_private
from core.errors import SettingsError
from core.sections import PrivacySettings

_PSEUDONYM = re.compile(r"p-[0-9a-f]{12}")
_SECRET = "index.key"  # noqa: S105  # the file's name


def vault_of(settings: PrivacySettings, home: Path) -> Path | None:
    """The folder of the vault; None: there is none.

    Raises:
        SettingsError: it is in the home, which holds pseudonyms alone.
    """
    if not settings.vault:
        return None
    folder = Path(settings.vault).expanduser().resolve()
    if folder.is_relative_to(home.resolve()) or home.resolve().is_relative_to(folder):
        raise SettingsError(f"privacy.vault {folder}: keep it outside the home, which it is not of")
    return folder


def new_pseudonym() -> str:
    """One that says nothing of anybody."""
    return f"p-{secrets.token_hex(6)}"


def is_pseudonym(name: str) -> bool:
    """Whether it is one by its form."""
    return _PSEUDONYM.fullmatch(name) is not None


def resolved(settings: PrivacySettings, home: Path, name: str) -> str:
    """The pseudonym of somebody whose name was typed; what the vault does not know stays.

    Raises:
        SettingsError: the vault is in the home, or its index cannot be read.
    """
    folder = vault_of(settings, home)
    if folder is None or not name or is_pseudonym(name):
        return name
    return lookup(folder, name) or name


def check_new(settings: PrivacySettings, home: Path, name: str) -> None:
    """Whether somebody who is new may be called so.

    Raises:
        SettingsError: there is a vault, and it is no pseudonym.
    """
    if vault_of(settings, home) is not None and not is_pseudonym(name):
        raise SettingsError(
            "who is new in a home with a vault is called by a pseudonym: tickhouse privacy add"
        )


def lookup(folder: Path, name: str) -> str:
    """The pseudonym of a name; "" when the index has none."""
    path = _path(folder, name)
    if path is None:
        return ""
    try:
        return read_private(path).decode().strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}; bring the vault back from a copy") from error


def enter(folder: Path, name: str, pseudonym: str) -> None:
    """Let a name lead to a pseudonym from now on.

    Raises:
        SettingsError: it leads to somebody already.
    """
    (folder / "names").mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.create(folder / _SECRET, secrets.token_hex(32).encode(), durable.PRIVATE)
    path = _path(folder, name)
    if path is None or not durable.create(path, pseudonym.encode(), durable.PRIVATE):
        raise SettingsError("this name leads to somebody of the vault already; give another one")


def forget(folder: Path, pseudonym: str) -> None:
    """No name leads there any more."""
    for path in (folder / "names").glob("*"):
        if path.read_text().strip() == pseudonym:
            path.unlink()
    if (folder / "names").exists():
        durable.sync_directory(folder / "names")


def _path(folder: Path, name: str) -> Path | None:
    """None: there is no index yet."""
    try:
        key = read_private(folder / _SECRET)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{folder / _SECRET}: {error}") from error
    digest = hmac.new(key, os.fsencode(name.casefold()), hashlib.sha256).hexdigest()
    return folder / "names" / digest
