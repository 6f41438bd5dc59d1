"""One code, and the agent beside a terminal answers a home elsewhere, over the real bus."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.diagnostics.checks_stack import agent
from cli.main import main
from cli.pairing import decode
from core.credentials import directory_of
from core.settings import load
from tests.support.servers import NatsServer, free_port

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TICKHOUSE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "linux"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def windows(tmp_path: Path) -> Path:
    folder = tmp_path / "windows"
    folder.mkdir()
    return folder


def invited(capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert main(["agent", "invite", "--host", "127.0.0.1", *more]) == 0
    (line,) = (x for x in capsys.readouterr().out.splitlines() if "agent pair" in x)
    return line.rpartition(" ")[2]


@pytest.fixture
def bus(linux: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[NatsServer, str]]:
    """The home's own, and the code for an agent there; its port is known before it starts."""
    home = linux / ".tickhouse"
    invited(capsys)
    server = NatsServer(home / "bus", directory_of(home))
    with pytest.MonkeyPatch.context() as patch, server:
        patch.setenv("TICKHOUSE_BUS__PORT", str(server.port))
        code = invited(capsys)
        patch.undo()
        yield server, code


def test_a_code_makes_an_agent_answer_for_its_terminal(
    bus: tuple[NatsServer, str],
    linux: Path,
    windows: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server, code = bus
    monkeypatch.chdir(windows)
    wrapped = "\n".join(code[at : at + 80] for at in range(0, len(code), 80))
    (windows / "code.txt").write_text(wrapped)
    assert main(["agent", "pair", "code.txt"]) == 0
    assert "Connected" in capsys.readouterr().out
    paired = load()
    assert (paired.terminal.kind, paired.terminal.agent) == ("real", "desk")
    line = [sys.executable, "-m", "tests.support.agent_process", str(windows / ".tickhouse"), "20"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "TICKHOUSE_TERMINAL__SYMBOLS": "BITCOIN"}
    with subprocess.Popen(line, cwd=windows, env=environ) as process:
        try:
            monkeypatch.chdir(linux)
            monkeypatch.setenv("TICKHOUSE_BUS__URL", f"tls://127.0.0.1:{server.port}")
            home = linux / ".tickhouse"
            monkeypatch.setenv("TICKHOUSE_BUS__CREDENTIALS", str(directory_of(home)))
            monkeypatch.setenv("TICKHOUSE_BUS__CA", str(home / "tls" / "authority.pem"))
            settings = load()
            assert settings.terminal.kind == "agent", "the invitation said so"
            assert [check.result for check in agent(settings, 30.0)] == ["ok"]
        finally:
            process.kill()


def test_pairing_keeps_secrets_to_its_owner_and_may_be_done_again(
    bus: tuple[NatsServer, str], windows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, code = bus
    monkeypatch.chdir(windows)
    assert main(["agent", "pair", code]) == main(["agent", "pair", code]) == 0
    kept = windows / ".tickhouse" / "pairing"
    assert {path.stat().st_mode & 0o077 for path in (kept, kept / "bus.agent")} == {0}
    assert decode(code).password not in (windows / "tickhouse.toml").read_text()


def test_who_cannot_connect_yet_is_paired_and_told_why(
    linux: Path,
    windows: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TICKHOUSE_BUS__PORT", str(free_port()))
    code = invited(capsys)
    monkeypatch.delenv("TICKHOUSE_BUS__PORT")
    monkeypatch.setattr("cli.commands.agent._PATIENCE_S", 0.2)
    monkeypatch.chdir(windows)
    assert main(["agent", "pair", code]) == 1
    assert "does not answer yet" in capsys.readouterr().err
    assert (windows / "tickhouse.toml").exists()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda code: code[: len(code) // 2], "cut or mistyped"),
        (lambda code: code[:60] + ("A" if code[60] != "A" else "B") + code[61:], "cut or mistyped"),
        (lambda code: "hello", "tickhouse-agent-1."),
        (lambda code: "", "tickhouse-agent-1."),
        (lambda code: code + "Ä", "cut or mistyped"),
    ],
)
def test_a_spoiled_code_changes_nothing(
    spoil: "object",
    says: str,
    linux: Path,
    windows: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert callable(spoil)
    code = spoil(invited(capsys))
    monkeypatch.chdir(windows)
    (windows / "code.txt").write_text(code, encoding="utf-8")
    assert main(["agent", "pair", "code.txt"]) == 2
    assert says in capsys.readouterr().err
    assert {path.name for path in windows.iterdir()} == {"code.txt"}


def test_settings_of_a_person_are_never_overwritten(
    linux: Path,
    windows: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = invited(capsys)
    own = "[bus]\nurl = 'nats://mine:4222'\n"
    (windows / "tickhouse.toml").write_text(own)
    monkeypatch.chdir(windows)
    assert main(["agent", "pair", code]) == 2
    said = capsys.readouterr().err
    assert "has a section bus already" in said
    assert "url = 'tls://127.0.0.1:4222'" in said
    assert (windows / "tickhouse.toml").read_text() == own


def test_the_invited_home_is_no_place_to_pair(
    linux: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = invited(capsys)
    assert main(["agent", "pair", code]) == 2
    assert "a bus of its own" in capsys.readouterr().err


def test_nobody_elsewhere_is_served_without_tls(
    linux: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TICKHOUSE_BUS__LISTEN", "0.0.0.0")
    assert main(["up"]) == 2
    assert "needs TLS: tickhouse agent invite" in capsys.readouterr().err
    assert not (linux / ".tickhouse" / "bus").exists()


def test_a_port_that_an_agent_was_told_is_not_exchanged(
    linux: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["agent", "invite", "--host", "desk.example"]) == 0
    assert "listen = '0.0.0.0'" in (linux / "tickhouse.toml").read_text()
    with NatsServer(linux / "another") as other:
        monkeypatch.setenv("TICKHOUSE_BUS__PORT", str(other.port))
        assert main(["up"]) == 2
    assert "is taken" in capsys.readouterr().err
