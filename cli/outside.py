"""Where what names people may be written: neither into the home nor into its vault."""

from pathlib import Path

from core import pseudonyms
from core.errors import SettingsError
from core.settings import Settings


def outside(settings: Settings, folder: Path) -> Path:
    """The folder, absolute.

    Raises:
        SettingsError: it is in the home, or in the vault, where it would outlive an erasure.
    """
    out, home = folder.resolve(), settings.home_path.resolve()
    if out.is_relative_to(home):
        raise SettingsError(f"--out {out} is in the home, which names nobody: give another folder")
    vault = pseudonyms.vault_of(settings.privacy, home)
    if vault is not None and out.is_relative_to(vault):
        raise SettingsError(f"--out {out} is in the vault, which holds nothing in the clear")
    return out
