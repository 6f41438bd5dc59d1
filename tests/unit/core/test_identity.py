"""Users on disk: hashed, private, refused when malformed."""

import stat
from pathlib import Path

import pytest

from core import identity
from core.errors import SettingsError

PASSWORD = "correct horse"
FULL_HASHES = True


def test_a_saved_user_comes_back_and_only_the_password_fits(tmp_path: Path) -> None:
    path = identity.path_in(tmp_path)
    user = identity.new_user("ann", "analyst", PASSWORD, {"tickhouse.tick": "bid > 0"}, 5, 100)
    identity.save(path, {"ann": user})
    assert identity.load(path) == {"ann": user}
    assert identity.matches(user.password, PASSWORD)
    assert not identity.matches(user.password, PASSWORD + " ")


def test_the_file_is_for_its_owner_and_holds_no_password(tmp_path: Path) -> None:
    path = identity.path_in(tmp_path)
    identity.save(path, {"ann": identity.new_user("ann", "admin", PASSWORD)})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PASSWORD not in path.read_text()
    assert [p.name for p in path.parent.iterdir()] == ["identity.json"]


def test_a_file_of_before_is_moved_to_its_folder_once(tmp_path: Path) -> None:
    identity.save(tmp_path / "identity.json", {"ann": identity.new_user("ann", "admin", PASSWORD)})
    path = identity.path_in(tmp_path)
    assert path == identity.path_in(tmp_path) == tmp_path / "users" / "identity.json"
    assert list(identity.load(path)) == ["ann"]
    assert [p.name for p in tmp_path.iterdir()] == ["users"]
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_of_two_files_none_is_believed(tmp_path: Path) -> None:
    users = {"ann": identity.new_user("ann", "admin", PASSWORD)}
    identity.save(identity.path_in(tmp_path), users)
    identity.save(tmp_path / "identity.json", users)
    with pytest.raises(SettingsError, match="only one may name the users"):
        identity.path_in(tmp_path)


def test_two_users_with_one_password_have_different_hashes() -> None:
    assert identity.hash_password(PASSWORD) != identity.hash_password(PASSWORD)


def test_the_hash_of_nobody_asks_for_the_same_work_and_no_password_has_it() -> None:
    real, nobody = identity.hash_password(PASSWORD), identity.hash_of_nobody()
    assert [len(part) for part in real.split("$")] == [len(part) for part in nobody.split("$")]
    assert real.split("$")[:4] == nobody.split("$")[:4] == ["scrypt", "16384", "8", "5"]
    assert not identity.matches(nobody, PASSWORD)


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("a b", "admin", PASSWORD), "letters, digits"),
        (("ann", "admin", "short"), "at least 8"),
        (("ann", "admin", PASSWORD, {"tickhouse.tick": "1"}), "row filters"),
        (("ann", "analyst", PASSWORD, {"tick": "1"}), "database.table=condition"),
        (("ann", "analyst", PASSWORD, {}, -1.0), "not negative"),
    ],
)
def test_what_cannot_be_is_refused(arguments, remedy: str) -> None:
    with pytest.raises(SettingsError, match=remedy):
        identity.new_user(*arguments)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("{", "remove it and add users"),
        ('{"users": [{"name": "a", "role": "king", "password": "x"}]}', "Invalid enum"),
        ('{"users": [{"name": "a", "role": "admin", "password": ""}]}', "no hashed password"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: str, remedy: str) -> None:
    path = identity.path_in(tmp_path)
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(SettingsError, match=remedy):
        identity.load(path)


def test_a_missing_file_and_a_name_twice_are_refused(tmp_path: Path) -> None:
    path = identity.path_in(tmp_path)
    with pytest.raises(SettingsError, match="tickhouse users add"):
        identity.load(path)
    user = identity.new_user("ann", "admin", PASSWORD)
    identity.save(path, {"a": user, "b": user})
    with pytest.raises(SettingsError, match="twice"):
        identity.load(path)
