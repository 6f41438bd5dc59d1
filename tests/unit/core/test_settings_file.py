"""What a command puts into `tickhouse.toml` beside what a person wrote there."""

import tomllib
from pathlib import Path

import pytest

from core import settings_file
from core.errors import SettingsError

BUS = {"bus": {"url": "tls://host:4222", "ca": r"C:\keys\ca.pem"}}


def test_a_new_file_and_the_same_once_more(tmp_path: Path) -> None:
    path = settings_file.add(tmp_path, BUS)
    before = path.read_text()
    assert tomllib.loads(before) == BUS
    assert settings_file.add(tmp_path, BUS).read_text() == before


def test_what_a_person_wrote_stays_word_for_word(tmp_path: Path) -> None:
    own = "# mine\n[run]\nmode = 'live'"
    (tmp_path / "tickhouse.toml").write_text(own)
    text = settings_file.add(tmp_path, BUS).read_text()
    assert text.startswith(own)
    assert tomllib.loads(text) == {"run": {"mode": "live"}, **BUS}


@pytest.mark.parametrize("there", ["[bus]\nurl = 'nats://other'\n", "[bus]\n", "[bus\n"])
def test_what_would_touch_it_is_refused(tmp_path: Path, there: str) -> None:
    path = tmp_path / "tickhouse.toml"
    path.write_text(there)
    with pytest.raises(SettingsError, match=r"tickhouse\.toml"):
        settings_file.add(tmp_path, BUS)
    assert path.read_text() == there
