"""`tickhouse api-keys`: a key is shown once, and whoever makes or revokes one answers for it."""

import io
from pathlib import Path

import pytest

from api import keys
from cli import main as cli
from core import audit_log, identity

PASSWORD = "correct horse"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def people(home: Path) -> Path:
    known = {name: identity.new_user(name, role, PASSWORD)
             for name, role in (("root", "admin"), ("ann", "analyst"))}  # fmt: skip
    identity.save(identity.path_in(home), known)
    return home


def api_keys(
    monkeypatch: pytest.MonkeyPatch, *words: str, password: str = PASSWORD
) -> int:  # fmt: skip
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    return cli.main(["api-keys", *words])


def actions(home: Path) -> list[tuple[str, str, str]]:
    events = audit_log.read(audit_log.path_in(home))
    return [(one.actor, one.action, one.subject) for one in events if "api-keys" in one.action]


def test_a_keys_life(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert api_keys(monkeypatch, "list") == 0
    assert "nobody may use the API" in capsys.readouterr().out
    words = ("create", "my notebook", "--for", "ann", "--scope", "market", "--days", "2")
    assert api_keys(monkeypatch, *words) == 0
    text = capsys.readouterr().out.splitlines()[-1]
    (key,) = keys.load(home).values()
    assert keys.KeyRing(home).key(text) == key
    assert (key.name, key.user, key.scopes, key.per_minute) == (
        "my notebook", "ann", ("market",), 600,
    )  # fmt: skip
    assert api_keys(monkeypatch, "list") == 0
    shown = capsys.readouterr().out
    assert key.key_id in shown
    assert text not in shown
    assert api_keys(monkeypatch, "revoke", key.key_id) == 0
    assert keys.load(home) == {}
    me = identity.this_user()
    assert actions(home) == [
        (me, "api-keys create", key.key_id), (me, "api-keys revoke", key.key_id),
    ]  # fmt: skip


def test_an_admin_answers_by_password(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("create", "a", "--for", "ann", "--scope", "halt")
    assert api_keys(monkeypatch, *words, "--by", "ann") == 2
    assert api_keys(monkeypatch, *words, "--by", "root", password="a guess") == 2
    assert keys.load(people) == {}
    assert api_keys(monkeypatch, *words, "--by", "root") == 0
    (key_id,) = keys.load(people)
    assert api_keys(monkeypatch, "revoke", key_id, "--by", "ann") == 2
    assert list(keys.load(people)) == [key_id]
    assert actions(people) == [("root", "api-keys create", key_id)]


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("create", "a", "--for", "eve", "--scope", "halt"), "known: root, ann"),
        (("create", "a", "--for", "ann"), "--scope market"),
        (("create", "a", "--for", "ann", "--scope", "halt", "--days", "0"), "--days"),
        (("create", "a\x1b[2J", "--for", "ann", "--scope", "halt"), "letters"),
        (("revoke", "00000000"), "api-keys list"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(
    people: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...], remedy: str,
) -> None:  # fmt: skip
    assert api_keys(monkeypatch, *words, "--by", "root") == 2
    assert remedy in capsys.readouterr().err
    assert keys.load(people) == {}
    assert actions(people) == []
