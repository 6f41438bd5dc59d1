"""`tickhouse users`: passwords come from standard input, never from an argument."""

import io
import json
from pathlib import Path

import pytest

from audit import rights
from cli import main as cli
from cli.commands.users import filters
from core import identity, totp
from core.audit_log import path_in, read
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


def test_every_change_of_rights_is_chained_with_the_rights(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users(monkeypatch, "add", "root", "--role", "admin")
    users(monkeypatch, "add", "ann", "--filter", "tickhouse.tick=symbol = 'EURUSD'")
    users(monkeypatch, "code", "ann")
    users(monkeypatch, "code", "ann", "--remove")
    users(monkeypatch, "password", "ann", password="another one")
    users(monkeypatch, "remove", "ann")
    events = list(read(path_in(home)))
    assert [event.action for event in events] == [
        "users add", "users add", "users code", "users code removed", "users password",
        "users remove",
    ]  # fmt: skip
    assert {event.subject or "ann" for event in events[1:]} == {"ann"}
    said = json.loads(events[1].detail)
    assert (said["role"], said["row_filters"]) == (
        "analyst", {"tickhouse.tick": "symbol = 'EURUSD'"},
    )  # fmt: skip
    assert PASSWORD not in path_in(home).read_text()


def test_codes_are_shown_once_to_who_has_the_password(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    users(monkeypatch, "add", "root", "--role", "admin")
    assert users(monkeypatch, "code", "root", password="a wrong one") != 0
    assert not totp.path_in(home, "root").exists()
    capsys.readouterr()
    assert users(monkeypatch, "code", "root") == 0
    assert totp.typed(totp.secret_of(home, "root")) in capsys.readouterr().out
    assert users(monkeypatch, "code", "root") != 0
    said = capsys.readouterr()
    assert "--remove" in said.err
    assert totp.typed(totp.secret_of(home, "root")) not in said.out + said.err
    assert users(monkeypatch, "remove", "root") == 0
    assert not totp.path_in(home, "root").exists()


def test_an_edit_by_hand_is_named_until_the_next_command_chains_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rights.problem(home) is None  # no users, and nothing chained
    assert users(monkeypatch, "add", "root", "--role", "admin") == 0
    assert users(monkeypatch, "add", "ann") == 0
    assert rights.problem(home) is None
    path = identity.path_in(home)
    text = json.loads(path.read_bytes().replace(b"analyst", b"admin"))
    del text["check"]  # as the refusal says: an edit is a person's, and no damage
    path.write_text(json.dumps(text))
    edited = rights.problem(home)
    assert edited is not None
    assert (edited[0], "users add ann" in edited[1]) == (2, True)
    assert users(monkeypatch, "add", "bob") == 0
    assert "CAUTION" in capsys.readouterr().err
    assert rights.problem(home) is None
    last = [event for event in read(path_in(home)) if event.action == "users edited"]
    assert json.loads(last[0].detail)["users"]["ann"]["role"] == "admin"
    path.unlink()
    gone = rights.problem(home)
    assert gone is not None
    assert "is gone" in gone[1]


def test_an_older_file_put_back_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert users(monkeypatch, "add", "root", "--role", "admin") == 0
    assert users(monkeypatch, "add", "ann") == 0
    before = identity.path_in(home).read_bytes()
    assert users(monkeypatch, "remove", "ann") == 0
    identity.path_in(home).write_bytes(before)
    back = rights.problem(home)
    assert back is not None
    assert "users remove ann" in back[1]


def test_a_home_whose_users_were_never_chained_has_nothing_to_compare(home: Path) -> None:
    identity.save(identity.path_in(home), {"ann": identity.new_user("ann", "admin", PASSWORD)})
    assert rights.problem(home) is None
