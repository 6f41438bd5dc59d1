"""Who is let in, before and after the identity file is there or changes."""

from pathlib import Path

import pytest

from core import home_users, identity
from core.errors import SettingsError, WarehouseError
from core.identity import User
from warehouse.access.gate import Gate, check_listen
from warehouse.access.parser import Parser

PASSWORD = "correct horse"


def gate_of(home: Path) -> Gate:
    return Gate(identity.path_in(home), Parser(lambda: None))


def add(home: Path, *names: str) -> None:
    users = {name: identity.new_user(name, "analyst", PASSWORD) for name in names}
    identity.save(identity.path_in(home), users)


def who(gate: Gate, name: str, password: str) -> str:
    try:
        return gate.admit({"user": name, "password": password}, {}).user.name
    except WarehouseError as error:
        return str(error.code)


def test_without_a_file_only_the_default_user_without_password_gets_in(tmp_path: Path) -> None:
    gate = gate_of(tmp_path)
    assert gate.admit({}, {}).user.role == "analyst"
    assert who(gate, "default", "guess") == "516"
    assert who(gate, "ann", "") == "516"


def test_with_a_file_name_and_password_must_fit(tmp_path: Path) -> None:
    add(tmp_path, "ann")
    gate = gate_of(tmp_path)
    for _ in range(2):  # the second time from memory
        assert who(gate, "ann", PASSWORD) == "ann"
        assert who(gate, "ann", "wrong") == "516"
        assert who(gate, "bob", PASSWORD) == "516"
        assert who(gate, "default", "") == "516"


def test_a_change_of_the_file_holds_at_once(tmp_path: Path) -> None:
    gate = gate_of(tmp_path)
    add(tmp_path, "ann", "bob")
    assert who(gate, "default", "") == "516"
    assert who(gate, "ann", PASSWORD) == "ann"
    add(tmp_path, "bob")
    assert who(gate, "ann", PASSWORD) == "516"
    assert who(gate, "bob", PASSWORD) == "bob"


@pytest.mark.parametrize("ruin", [lambda p: p.unlink(), lambda p: p.write_text("{")])
def test_a_lost_or_broken_file_lets_nobody_in(tmp_path: Path, ruin) -> None:
    add(tmp_path, "ann")
    gate = gate_of(tmp_path)
    assert who(gate, "ann", PASSWORD) == "ann"
    ruin(identity.path_in(tmp_path))
    assert who(gate, "ann", PASSWORD) == "516"
    assert who(gate, "default", "") == "516"


def test_a_refusal_is_told_without_the_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    who(gate_of(tmp_path), "ann", "s3cret-word")
    output = capsys.readouterr().err
    assert "'ann'" in output
    assert "s3cret-word" not in output


def test_an_open_address_needs_users(tmp_path: Path) -> None:
    path = identity.path_in(tmp_path)
    check_listen("127.0.0.1", path)
    with pytest.raises(SettingsError, match="tickhouse users add"):
        check_listen("0.0.0.0", path)
    add(tmp_path)
    with pytest.raises(SettingsError, match="names no user"):
        check_listen("0.0.0.0", path)
    add(tmp_path, "ann")
    check_listen("0.0.0.0", path)


def test_only_api_and_board_read_for_people_with_their_filters(tmp_path: Path) -> None:
    rules = {"tickhouse.tick": "symbol = 'EURUSD'"}
    people = [
        identity.new_user("eve", "analyst", PASSWORD, rules, max_seconds=2),
        identity.new_user("root", "admin", PASSWORD), identity.new_user("g", "grafana", PASSWORD),
    ]  # fmt: skip
    identity.save(identity.path_in(tmp_path), {user.name: user for user in people})
    own = {one: (home_users.user(one.removeprefix("tickhouse.")), f"secret of {one}") for one in
           ("tickhouse.api", "tickhouse.board", "tickhouse.owner")}  # fmt: skip
    gate = Gate(identity.path_in(tmp_path), Parser(lambda: None), own)

    def known(name: str, password: str = "secret of tickhouse.api") -> User:
        return gate.admit({"user": name, "password": password}, {}).user

    assert known("tickhouse.api").role == "analyst"
    eve = known("tickhouse.api/eve")
    assert (eve.name, eve.role, eve.row_filters, eve.max_seconds) == ("eve", "analyst", rules, 2)
    assert (known("tickhouse.api/root").role, known("tickhouse.api/g").role) == (
        "analyst",
        "grafana",
    )
    assert known("tickhouse.board/eve", "secret of tickhouse.board").row_filters == rules
    for name, password in [
        ("tickhouse.api/nobody", "secret of tickhouse.api"), ("tickhouse.api/eve", PASSWORD),
        ("tickhouse.api/tickhouse.owner", "secret of tickhouse.api"),
        ("tickhouse.api/eve/root", "secret of tickhouse.api"), ("eve/root", PASSWORD),
        ("tickhouse.owner/eve", "secret of tickhouse.owner"),
        ("tickhouse.board/eve", "secret of tickhouse.api"),
    ]:  # fmt: skip
        assert who(gate, name, password) == "516", name


def test_a_person_who_is_removed_is_not_read_for(tmp_path: Path) -> None:
    own = {"tickhouse.api": (home_users.user("api"), "secret")}
    gate = Gate(identity.path_in(tmp_path), Parser(lambda: None), own)
    assert who(gate, "tickhouse.api/ann", "secret") == "516"
    add(tmp_path, "ann", "bob")
    assert who(gate, "tickhouse.api/ann", "secret") == "ann"
    add(tmp_path, "bob")
    assert who(gate, "tickhouse.api/ann", "secret") == "516"
