"""The commands of a risk officer: limits, override, throttle and resume, with and without users."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from cli.main import main
from core import audit_log, identity
from core.trading_control import current
from execution.risk import overrides
from execution.risk.limits import parse


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def users(home: Path) -> None:
    built = [
        identity.new_user("ann", "admin", "long enough"),
        identity.new_user("bob", "analyst", "also long"),
        identity.new_user("ria", "risk", "long enough"),
    ]
    identity.save(identity.path_in(home), {user.name: user for user in built})


def types(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))


class Audited(NamedTuple):
    by: str
    authenticated: bool
    action: str
    detail: str


def audited(home: Path) -> list[Audited]:
    result = []
    for event in audit_log.read(home / "audit.log"):
        detail = msgspec.json.decode(event.detail)
        result.append(Audited(event.actor, detail["authenticated"], event.action, detail["text"]))
    return result


def test_what_is_shown_can_be_checked_and_installed(home: Path, tmp_path: Path, capsys) -> None:
    assert main(["limits", "show"]) == 0
    file = tmp_path / "mine.toml"
    file.write_text(capsys.readouterr().out.replace("max_lots = 1.0", "max_lots = 2.0"))
    assert main(["limits", "check", str(file)]) == 0
    assert not home.exists()
    assert main(["limits", "install", str(file), "--by", "ann"]) == 0
    version = parse((home / "limits.toml").read_bytes(), "").version
    [line] = audited(home)
    assert (line.by, line.authenticated, line.action) == ("ann", False, "limits install")
    assert version in line.detail
    capsys.readouterr()
    assert main(["limits", "show"]) == 0
    assert f"# in force: {version}" in capsys.readouterr().out


def test_a_file_with_a_typo_is_not_installed(home: Path, tmp_path: Path, capsys) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('version = "a"\n[limits]\nmax_lotz = 2.0\n')
    for line in (["check", str(file)], ["install", str(file), "--by", "ann"]):
        assert main(["limits", *line]) == 2
        assert f"{file}, row 3: [limits] max_lotz: unknown" in capsys.readouterr().err
    assert not (home / "limits.toml").exists()


@pytest.mark.parametrize(
    ("who", "password", "complaint"),
    [
        ("ann", "wrong password", "another password"),
        ("eve", "long enough", "no such user"),
        ("bob", "also long", "one of role admin or risk may"),
    ],
)
def test_with_users_nobody_else_may(
    home: Path, tmp_path: Path, monkeypatch, capsys, who: str, password: str, complaint: str
) -> None:
    users(home)
    file = tmp_path / "mine.toml"
    file.write_text('version = "a"')
    by = ["--by", who]
    why = [*by, "--reason", "x"]
    for line in (
        ["limits", "install", str(file), *by],
        ["override", "max_lots", "2", "--minutes", "5", *why],
        ["throttle", "release", *why],
        ["resume", *why],
    ):
        types(monkeypatch, password)
        assert main(line) == 2
        assert complaint in capsys.readouterr().err
    assert sorted(path.name for path in home.iterdir()) == ["users"]


@pytest.mark.parametrize("who", ["ann", "ria"])
def test_who_logs_in_may_and_halting_asks_nobody(home: Path, monkeypatch, who: str) -> None:
    users(home)
    assert main(["halt", "--by", "anybody", "--reason", "news", "--flatten"]) == 0
    halted = current(home)
    assert halted is not None
    assert (halted.state, halted.positions) == ("halted", "flatten")
    why = ["--by", who, "--reason", "month end"]
    for line in (
        ["override", "max_lots", "2", "--minutes", "5", "--symbol", "EURUSD", *why],
        ["throttle", "release", "--strategy", "model", *why],
        ["resume", *why],
    ):
        types(monkeypatch, "long enough")
        assert main(line) == 0
    result = overrides.load(overrides.path_in(home))
    [override], [release] = result.overrides, result.releases
    assert (override.rule, override.value, override.symbol) == ("max_lots", 2.0, "EURUSD")
    assert override.until_us - override.from_us == 300_000_000
    assert (release.strategy, release.by) == ("model", who)
    assert [(a.action, a.authenticated) for a in audited(home)] == [
        ("halt", False), ("override", True), ("throttle release", True), ("resume", True),
    ]  # fmt: skip


def test_real_money_needs_users(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("TICKHOUSE_TERMINAL__KIND", "real")
    assert main(["resume", "--by", "ann", "--reason", "x"]) == 2
    assert "tickhouse users add" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line", [["max_lots", "nan", "--minutes", "5"], ["max_lots", "1", "--minutes", "1441"]]
)
def test_an_override_has_a_value_and_an_end(home: Path, line: list[str], capsys) -> None:
    assert main(["override", *line, "--by", "ann", "--reason", "x"]) == 2
    assert "1440" in capsys.readouterr().err


@pytest.mark.parametrize("zone", ["", "+00:00", "+05:30"])
def test_an_override_may_end_at_a_time(home: Path, zone: str) -> None:
    shift = timedelta(hours=5, minutes=30) if zone == "+05:30" else timedelta(0)
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
    text = (end + shift).strftime("%Y-%m-%dT%H:%M:%S") + zone
    assert main(["override", "max_lots", "2", "--until", text, "--by", "ann", "--reason", "x"]) == 0
    [built] = overrides.load(overrides.path_in(home)).overrides
    assert abs(built.until_us - round(end.timestamp() * 1e6)) < 10


@pytest.mark.parametrize("text", ["2020-01-01T00:00", "2199-01-01T00:00", "tomorrow"])
def test_an_override_cannot_end_in_the_past_or_far_away(home: Path, text: str, capsys) -> None:
    assert main(["override", "max_lots", "2", "--until", text, "--by", "ann", "--reason", "x"]) == 2
    assert f"--until {text}" in capsys.readouterr().err
    assert not (home / "decisions.json").exists()
