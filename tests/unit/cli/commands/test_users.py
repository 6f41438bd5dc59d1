"""`tickhouse users`: passwords come from standard input, never from an argument."""

import io
from pathlib import Path

import pytest

from cli import main as cli
from cli.commands.users import filters
from core import identity
from core.errors import SettingsError

PASSWORD = "correct horse"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    return tmp_path


def users(monkeypatch: pytest.MonkeyPatch, *words: str, password: str = PASSWORD) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    return cli.main(["users", *words])


def test_a_users_life(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert users(monkeypatch, "list") == 0
    assert "No users" in capsys.readouterr().out
    assert users(monkeypatch, "add", "root", "--role", "admin") == 0
    rule = "tickhouse.tick=symbol = 'EURUSD'"
    assert users(monkeypatch, "add", "ann", "--filter", rule, "--max-seconds", "5") == 0
    result = identity.load(identity.path_in(home))
    assert result["ann"].row_filters == {"tickhouse.tick": "symbol = 'EURUSD'"}
    assert users(monkeypatch, "password", "ann", password="another one") == 0
    changed = identity.load(identity.path_in(home))["ann"]
    assert identity.matches(changed.password, "another one")
    assert changed.row_filters == result["ann"].row_filters
    assert users(monkeypatch, "list") == 0
    assert users(monkeypatch, "remove", "ann") == 0
    reported = capsys.readouterr()
    assert "EURUSD" in reported.out
    assert PASSWORD not in reported.out + reported.err
    assert set(identity.load(identity.path_in(home))) == {"root"}


@pytest.mark.parametrize(
    ("words", "password", "remedy"),
    [
        (("add", "root"), PASSWORD, "users password root"),
        (("add", "ann"), "short", "at least 8"),
        (("add", "ann", "--filter", "tick"), PASSWORD, "database.table=condition"),
        (("remove", "ann"), PASSWORD, "known: root"),
        (("password", "ann"), PASSWORD, "known: root"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    password: str,
    remedy: str,
) -> None:
    users(monkeypatch, "add", "root", "--role", "admin")
    before = identity.path_in(home).read_bytes()
    assert users(monkeypatch, *words, password=password) == cli.FAILED
    assert remedy in capsys.readouterr().err
    assert identity.path_in(home).read_bytes() == before


def test_without_an_admin_one_is_warned(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert users(monkeypatch, "add", "ann") == 0
    assert "Nobody is an admin" in capsys.readouterr().err


def test_a_password_is_no_argument() -> None:
    with pytest.raises(SystemExit):
        cli.main(["users", "add", "ann", "--password", PASSWORD])


def test_a_table_has_one_filter() -> None:
    assert filters(["a.b=x = 1"]) == {"a.b": "x = 1"}
    with pytest.raises(SettingsError, match="once"):
        filters(["a.b=1", "a.b=2"])
