"""`tickhouse orders`: what is unsettled, and who may settle it."""

import io
from pathlib import Path

import pytest

from cli import main as command
from core import identity
from execution.broker import manual_resolutions
from execution.broker.manual_resolutions import ManualResolution
from execution.journal import snapshots, witness
from execution.journal.book import Book
from execution.journal.journal import Journal
from tests.unit.execution.desk import Desk


@pytest.fixture
def unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A home with one order whose request was lost; its id."""
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    monkeypatch.setenv("TICKHOUSE_RUN__ACCOUNT", "simulated")
    home = tmp_path / "execution" / "simulated"
    home.mkdir(parents=True)
    desk = Desk(home)
    desk.terminal.lose = ["request"]
    desk.trade(1.0, "s1")
    order_id = desk.events()[-1].order_id
    desk.close()
    return order_id


def said(home: Path) -> list[ManualResolution]:
    return [
        one for _, one in manual_resolutions.waiting(home / "execution" / "simulated" / "settle")
    ]


def settle(order: str, *more: str) -> int:
    return command.main(["orders", "settle", order, "--by", "ann", "--reason", "looked", *more])


def test_unsettled_orders_are_listed(unknown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["orders", "list"]) == 0
    assert f"{unknown}  unknown    entry buy 0.1 EURUSD (oanda)" in capsys.readouterr().out


def test_after_years_they_are_read_from_the_newest_snapshot(
    unknown: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, beside = tmp_path / "execution" / "simulated" / "journal", "simulated"
    command.main(["orders", "list"])
    before = capsys.readouterr().out
    opened = Journal(path, 65_536)
    opened.rotate()
    extent = opened.synced
    opened.close()
    digest = snapshots.fold_sealed(path, None)
    witness.path_in(tmp_path, beside).parent.mkdir(exist_ok=True)
    witness.write(witness.path_in(tmp_path, beside), extent, digest)
    applied = list[object]()
    fold = Book.apply
    monkeypatch.setattr(Book, "apply", lambda book, r: (applied.append(r), fold(book, r)))
    assert command.main(["orders", "list"]) == 0
    assert capsys.readouterr().out == before
    assert len(applied) == 1  # the record that begins the second segment


def test_an_order_is_settled_by_the_beginning_of_its_id(unknown: str, tmp_path: Path) -> None:
    assert settle(unknown[:6], "--as", "absent") == 0
    [one] = said(tmp_path)
    assert (one.order_id, one.outcome, one.by, one.reason) == (unknown, "absent", "ann", "looked")


@pytest.mark.parametrize("wrong", [["--as", "filled"], ["--as", "absent", "--deal", "3"]])
def test_filled_needs_a_deal_and_absent_has_none(
    unknown: str, tmp_path: Path, wrong: list[str]
) -> None:
    assert settle(unknown, *wrong) == command.FAILED
    assert said(tmp_path) == []


def test_an_order_that_is_not_unsettled_is_refused(unknown: str, tmp_path: Path) -> None:
    assert settle("nope", "--as", "absent") == command.FAILED
    assert said(tmp_path) == []


def test_where_users_exist_only_an_admin_with_the_password_may_settle(
    unknown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [
        identity.new_user("ann", "admin", "correct horse"),
        identity.new_user("bob", "analyst", "correct horse"),
    ]
    identity.save(identity.path_in(tmp_path), {user.name: user for user in users})
    for by, password, code in (
        ("ann", "wrong horse", command.FAILED),
        ("bob", "correct horse", command.FAILED),
        ("ann", "correct horse", 0),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
        line = ["orders", "settle", unknown, "--as", "absent", "--by", by, "--reason", "x"]
        assert command.main(line) == code
    assert [one.by for one in said(tmp_path)] == ["ann"]
