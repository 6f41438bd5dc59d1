"""What names people is written neither into the home nor into its vault."""

from pathlib import Path

import pytest

from cli.outside import outside
from core.errors import SettingsError
from core.sections import PrivacySettings
from core.settings import Settings


def test_home_and_vault_are_refused_and_anything_else_is_taken(tmp_path: Path) -> None:
    privacy = PrivacySettings(vault=str(tmp_path / "vault"))
    settings = Settings(home=str(tmp_path / "home"), privacy=privacy)
    with pytest.raises(SettingsError, match="is in the home"):
        outside(settings, tmp_path / "home" / "x")
    with pytest.raises(SettingsError, match="is in the vault"):
        outside(settings, tmp_path / "vault" / ".." / "vault" / "x")
    assert outside(settings, tmp_path / "stick") == tmp_path / "stick"
