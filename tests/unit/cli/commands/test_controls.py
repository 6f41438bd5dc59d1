"""The commands that sign: what is shown, who is asked, what holds then."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.diagnostics.trial_verdict import Verdict, save
from cli.main import main
from core import prepared_resume, settings
from core.clock import SystemClock
from core.controls import keys
from core.errors import InputError
from core.trading_control import current
from execution.risk.controls import limits_in_force

WORDS = {"ann": "ann has a passphrase", "bob": "bob has another one"}
Run = Callable[..., int]


@pytest.fixture(scope="module")
def made_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name, words in WORDS.items():
        keys.generate(folder, folder / "home", name, words)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_keys: Path) -> Path:
    shutil.copytree(made_keys, tmp_path / "keys")
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TICKHOUSE_CONTROLS__KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("TICKHOUSE_CONTROLS__TRUST", str(tmp_path / "trust"))
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    def ran(*words: object, typed: str = "") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed + "\n"))
        return main([str(word) for word in words])

    return ran


def state(home: Path) -> str:
    held = current(home)
    return held.state if held else "none"


def by(who: str) -> dict[str, str]:
    return {"typed": WORDS[who]}


def why(who: str) -> tuple[str, ...]:
    return "--by", who, "--reason", "test"


@pytest.fixture
def firm(run: Run, home: Path, tmp_path: Path) -> Run:
    bob = f"bob={tmp_path / 'keys' / 'bob.pub'}"
    assert run("controls", "begin", "--firm", "--person", bob, "--by", "ann", **by("ann")) == 0
    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "desk.toml"
    path.write_text('version = "desk"\n[limits]\nmax_lots = 2.0\n')
    return path


def in_force() -> bytes | None:
    return limits_in_force(settings.load(), SystemClock())


def test_a_diff_is_shown_and_two_people_raise(firm: Run, home: Path, file: Path, capsys) -> None:
    assert firm("limits", "install", file, *why("ann"), **by("ann")) == 0
    shown = capsys.readouterr().out
    assert "[limits] max_lots: 1.0 → 2.0 (raises)" in shown
    assert "This raises risk. It waits for the signature of a second person." in shown
    assert in_force() is None
    assert not (home / "limits.toml").exists()
    assert firm("controls", "pending") == 0
    assert "tickhouse controls sign 2 --by WHO" in capsys.readouterr().out
    assert firm("controls", "sign", 2, *why("ann"), **by("ann")) == 2
    assert "ann approves himself" in capsys.readouterr().err
    assert firm("controls", "sign", 2, *why("bob"), **by("bob")) == 0
    assert "max_lots: 1.0 → 2.0" in capsys.readouterr().out  # the second sees it too
    assert in_force() == file.read_bytes() == (home / "limits.toml").read_bytes()
    assert firm("limits", "show") == 0
    assert "max_lots = 2.0" in capsys.readouterr().out
    assert firm("controls", "list") == 0
    assert firm("controls", "verify") == 0


def test_another_passphrase_signs_nothing(firm: Run, file: Path, capsys) -> None:
    assert firm("limits", "install", file, *why("ann"), **by("bob")) == 2
    assert "another passphrase" in capsys.readouterr().err
    assert firm("controls", "pending") == 0
    assert "Nothing waits." in capsys.readouterr().out


def test_alone_what_raises_waits_a_day_and_can_be_withdrawn(
    run: Run, home: Path, file: Path, capsys
) -> None:
    assert run("controls", "begin", "--by", "ann", **by("ann")) == 0
    assert run("limits", "install", file, *why("ann"), **by("ann")) == 0
    assert "It waits 24 hours" in capsys.readouterr().out
    assert run("controls", "withdraw", 2, *why("ann"), **by("ann")) == 0
    file.write_text('version = "desk"\n[limits]\nmax_lots = 0.5\n')
    assert run("limits", "install", file, *why("ann"), **by("ann")) == 0
    assert in_force() == file.read_bytes()


def test_a_resume_needs_two_in_a_firm_and_a_halt_nobody(firm: Run, home: Path) -> None:
    assert firm("halt", "--by", "anybody", "--reason", "news") == 0
    assert firm("resume", *why("ann"), **by("ann")) == 0
    halted = current(home)
    assert halted is not None
    assert halted.state == "halted"
    assert firm("controls", "sign", 2, *why("bob"), **by("bob")) == 0
    resumed = current(home)
    assert resumed is not None
    assert (resumed.state, resumed.by) == ("active", "ann")


def test_a_resume_prepared_from_afar_is_signed_by_two_and_lifts_no_later_halt(
    firm: Run, home: Path, capsys
) -> None:
    clock = SystemClock()
    assert firm("resume", "--prepared", "--by", "ann", **by("ann")) == 2
    assert "no resume is prepared" in capsys.readouterr().err
    assert firm("halt", *why("ann")) == 0
    prepared_resume.prepare(home, "bob", "the feed is back", clock)
    assert firm("resume", "--prepared", "--by", "ann", **by("ann")) == 0
    assert "Prepared by bob: the feed is back" in capsys.readouterr().out
    assert state(home) == "halted"  # a second person signs
    assert firm("controls", "sign", 2, *why("bob"), **by("bob")) == 0
    assert state(home) == "active"
    with pytest.raises(InputError, match="not halted"):
        prepared_resume.prepare(home, "bob", "once more", clock)
    assert firm("halt", *why("ann")) == 0
    prepared_resume.prepare(home, "bob", "once more", clock)
    assert firm("halt", *why("ann")) == 0
    assert firm("resume", "--prepared", "--by", "ann", **by("ann")) == 2
    assert "halted or resumed since" in capsys.readouterr().err
    assert state(home) == "halted"


def test_overrides_releases_and_approvals_are_signed(firm: Run, home: Path, capsys) -> None:
    lines = (
        ("override", "max_lots", "0.5", "--minutes", "5", *why("ann")),
        ("throttle", "release", "--strategy", "model", *why("ann")),
        ("controls", "approve", "strategy", "ema_cross", *why("ann")),
        ("controls", "approve", "settings", *why("ann")),
        ("controls", "approve", "exits", *why("ann")),
    )
    for line in lines:
        assert firm(*line, **by("ann")) == 0
    check = ("controls", "approve", "terminal_check", "Broker-Live", *why("ann"))
    assert firm(*check, **by("ann")) == 2
    assert "no passed terminal check" in capsys.readouterr().err
    save(
        home,
        Verdict(
            version=1,
            passed=True,
            at="2026",
            tickhouse="1",
            server="Broker-Demo",
            company="B",
            build=1,
            symbol="EURUSD",
            positions="hedging",
            send_ms=[],
            differences=[],
            observed={},
        ),
    )
    assert firm(*check, **by("ann")) == 0
    assert "passed on Broker-Demo" in capsys.readouterr().out
    assert firm("controls", "pending") == 0
    shown = capsys.readouterr().out
    assert [n for n in range(2, 8) if f"controls sign {n} " in shown] == [3, 4, 5, 6, 7]  # 2 lowers
    assert not (home / "decisions.json").exists()


def test_a_revoked_key_signs_nothing_more(firm: Run, file: Path, capsys) -> None:
    assert firm("keys", "revoke", "bob", *why("ann"), **by("ann")) == 0
    assert firm("limits", "install", file, *why("bob"), **by("bob")) == 2
    assert "bob may not sign" in capsys.readouterr().err
    assert firm("keys", "list") == 0
    assert "revoked" in capsys.readouterr().out


def test_another_machine_trusts_a_home_by_its_fingerprint(
    firm: Run, home: Path, file: Path, monkeypatch, tmp_path: Path, capsys
) -> None:
    file.write_text('version = "desk"\n[limits]\nmax_lots = 0.5\n')
    assert firm("limits", "install", file, *why("ann"), **by("ann")) == 0
    assert firm("controls", "list") == 0
    fingerprint = capsys.readouterr().out.rpartition("fingerprint ")[2].strip()
    monkeypatch.setenv("TICKHOUSE_CONTROLS__TRUST", str(tmp_path / "elsewhere"))
    assert in_force() is None
    assert firm("controls", "trust", "0" * 32) == 2
    assert firm("controls", "trust", fingerprint) == 0
    assert in_force() == file.read_bytes()


def test_keys_do_not_lie_in_the_home_and_toml_says_nothing_of_them(
    run: Run, home: Path, monkeypatch, tmp_path: Path, capsys
) -> None:
    (tmp_path / "tickhouse.toml").write_text('[controls]\ntrust = "/elsewhere"\n')
    monkeypatch.chdir(tmp_path)
    assert run("controls", "list") == 2
    assert "by the environment alone" in capsys.readouterr().err
    (tmp_path / "tickhouse.toml").unlink()
    assert run("keys", "new", "eve", typed="a long passphrase\nanother one") == 2
    assert run("keys", "new", "eve", typed="a long passphrase\na long passphrase") == 0
    assert run("keys", "new", "eve", typed="a long passphrase\na long passphrase") == 2
    monkeypatch.setenv("TICKHOUSE_CONTROLS__KEYS", str(home / "keys"))
    assert run("keys", "new", "eve", typed="a long passphrase\na long passphrase") == 2
    assert "must lie outside" in capsys.readouterr().err
