"""Who owns a home's files and no key: he changes, cuts, swaps and replays, and raises nothing."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.audit_log import read as read_log
from core.clock import ManualClock
from core.controls import keys, store
from core.controls.store import Chain, Place, place_of
from core.controls.watch import WatchedControls
from core.errors import InputError, SettingsError
from core.sections import ControlSettings
from execution.risk import direction
from tests.support.signed_home import DAY_US, START_US, SignedHome

ROOT = Path(__file__).parents[2]


@pytest.fixture
def firm(tmp_path: Path) -> SignedHome:
    """Limits of 0.8 lots, then of 0.5."""
    home = SignedHome(tmp_path, ("ann", "bob"), "firm")
    home.limits("max_lots = 0.8")
    home.limits("max_lots = 0.5")
    return home


def lots(watched: WatchedControls) -> str:
    version = watched.controls.version("limits", "", watched.now_us())
    content = watched.controls.content(version) if version else None
    return content.decode().split("max_lots = ")[1].split()[0] if content else ""


def watched(home: SignedHome) -> WatchedControls:
    return WatchedControls(home.place, home.judge, home.clock)


def cut(home: SignedHome) -> None:
    """To the limits of before, which let more through."""
    lines = home.place.chain.read_bytes().splitlines(keepends=True)
    home.place.chain.write_bytes(b"".join(lines[:2]))


def tear(home: SignedHome) -> None:
    home.place.chain.write_bytes(home.place.chain.read_bytes()[:-20])


def empty(home: SignedHome) -> None:
    home.place.chain.write_bytes(b"")


def remove(home: SignedHome) -> None:
    shutil.rmtree(home.place.chain.parent)


def flip(home: SignedHome) -> None:
    content = bytearray(home.place.chain.read_bytes())
    content[len(content) // 2] ^= 1
    home.place.chain.write_bytes(bytes(content))


def replace_genesis(home: SignedHome) -> None:
    """By a chain of his own people, genuine in itself."""
    (home.home.parent / "own").mkdir()
    own = SignedHome(home.home.parent / "own", ("eve",))
    own.limits("max_lots = 0.9", "eve")
    shutil.rmtree(home.place.chain.parent)
    shutil.copytree(own.place.chain.parent, home.place.chain.parent)


def link(home: SignedHome) -> None:
    aside = home.home / "aside"
    home.place.chain.rename(aside)
    home.place.chain.symlink_to(aside)


def append_his_own(home: SignedHome) -> None:
    with home.place.chain.open("ab") as file:
        file.write(home.place.chain.read_bytes().splitlines(keepends=True)[1])


def swap_contents(home: SignedHome) -> None:
    for path in (home.place.chain.parent / "contents").iterdir():
        path.write_bytes(b'version = "t"\n[limits]\nmax_lots = 99.0\n')


CHAIN = (cut, tear, empty, remove, flip, replace_genesis, link, append_his_own)


@pytest.mark.parametrize("attack", CHAIN, ids=lambda a: a.__name__)
def test_what_was_signed_last_holds_and_the_chain_is_named(
    firm: SignedHome, attack: Callable[[SignedHome], None]
) -> None:
    running = watched(firm)
    attack(firm)
    running.poll()
    for process in (running, watched(firm)):  # one that ran, one that is started after it
        assert lots(process) == "0.5"
        assert str(firm.place.chain) in process.problem
    firm.limits("max_lots = 0.4")  # the next signature writes the chain anew
    assert (lots(watched(firm)), watched(firm).problem) == ("0.4", "")


def test_swapped_contents_are_not_believed(firm: SignedHome) -> None:
    swap_contents(firm)
    assert lots(watched(firm)) == "0.5"


def test_lost_contents_do_not_shorten_what_is_known(firm: SignedHome) -> None:
    """Without a person's content on both sides, what that person lowered would be forgotten."""
    firm.approve(firm.person("eve").number, "bob")
    firm.limits("max_lots = 0.4", "eve")
    known, running = firm.place.kept.read_bytes(), watched(firm)
    entry = firm.now().entries[3]
    for folder in (firm.place.chain.parent, firm.place.trust):
        (folder / "contents" / entry.content).unlink()
    os.utime(firm.place.chain)
    running.poll()
    assert lots(running) == "0.4"
    with pytest.raises(InputError, match=r"entry 4: what was signed is nowhere to be read"):
        watched(firm)
    with pytest.raises(SettingsError, match="entries would be lost"):
        firm.limits("max_lots = 0.3")
    assert firm.place.kept.read_bytes() == known


def test_a_chain_that_is_replaced_while_it_is_read_is_read_again(
    firm: SignedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the reading and its end somebody signs: the next look is at what lies there then."""
    running, read = watched(firm), store.read

    def overtaken(place: Place) -> Chain:
        chain = read(place)
        monkeypatch.undo()
        firm.limits("max_lots = 0.4")
        return chain

    monkeypatch.setattr(store, "read", overtaken)
    os.utime(firm.place.chain)
    running.poll()
    assert lots(running) == "0.5"
    running.poll()
    assert (lots(running), running.problem) == ("0.4", "")


def test_without_the_copy_outside_a_running_process_still_knows(firm: SignedHome) -> None:
    running = watched(firm)
    cut(firm)
    shutil.rmtree(firm.place.trust)
    running.poll()
    assert lots(running) == "0.5"
    assert "replaced" in running.problem or "does not know" in running.problem


def test_a_copied_home_is_trusted_by_nobody(firm: SignedHome, tmp_path: Path) -> None:
    shutil.copytree(firm.home, tmp_path / "stolen")
    place = place_of(tmp_path / "stolen", firm.settings)
    stolen = WatchedControls(place, firm.judge, firm.clock)
    assert lots(stolen) == ""
    assert "does not know how this home began" in stolen.problem


def test_keys_and_trust_do_not_lie_in_the_home(firm: SignedHome) -> None:
    with pytest.raises(SettingsError, match="outside"):
        store.place_of(firm.home, ControlSettings(trust=str(firm.home / "trust")))
    with pytest.raises(SettingsError, match="outside"):
        keys.generate(firm.home / "keys", firm.home, "ann", "a long passphrase")


def test_a_stolen_key_file_is_no_use_without_its_passphrase(tmp_path: Path) -> None:
    folder, home = tmp_path / "keys", tmp_path / "home"
    public = keys.generate(folder, home, "ann", "a long passphrase")
    assert keys.public_of(keys.load(folder, home, "ann", "a long passphrase")) == public
    assert keys.known(folder) == {"ann": public}
    assert keys.path_in(folder, "ann").stat().st_mode & 0o077 == 0
    for wrong in ("another passphrase", ""):
        with pytest.raises(SettingsError, match="another passphrase"):
            keys.load(folder, home, "ann", wrong)
    keys.path_in(folder, "ann").unlink()
    with pytest.raises(SettingsError, match="tickhouse keys new ann"):
        keys.load(folder, home, "ann", "a long passphrase")


def test_a_clock_set_back_by_a_day_brings_back_nothing_that_ended(tmp_path: Path) -> None:
    """Not in a process that ran, nor in one that knows when something was journalled last."""
    home = SignedHome(tmp_path)
    end = START_US + 2 * DAY_US
    home.sign("strategy", b"code", subject="mine", until_us=end)
    home.wait(2 * DAY_US)
    running = watched(home)
    home.clock = ManualClock(end - DAY_US // 2)
    later = WatchedControls(home.place, home.judge, home.clock, since_us=end)
    running.poll()
    for process in (running, later):
        assert process.controls.version("strategy", "mine", process.now_us()) is None


KILLED = """
import sys
from pathlib import Path
from core import crashpoint
from tests.security.test_signed_controls import reopened
folder, place = Path(sys.argv[1]), sys.argv[2]
home = reopened(folder)
crashpoint.arm_for("controls", f"controls.{place}:1", folder)
home.limits("max_lots = 0.4")
"""


def reopened(folder: Path) -> SignedHome:
    """The home of another process: its people's keys lie beside it, for a test."""
    home = object.__new__(SignedHome)
    donor = folder / "private"
    home.__dict__ |= {
        "home": folder / "home", "clock": ManualClock(START_US),
        "keys": {"ann": Ed25519PrivateKey.from_private_bytes(donor.read_bytes())},
    }  # fmt: skip
    home.settings, home.judge = ControlSettings(trust=str(folder / "trust")), direction.raises
    home.place = place_of(home.home, home.settings)
    return home


@pytest.mark.parametrize("place", ["begin", "content", "audit", "chain", "kept"])
def test_killed_at_any_commit_point_the_old_or_the_new_holds(
    firm: SignedHome, tmp_path: Path, place: str
) -> None:
    (tmp_path / "private").write_bytes(firm.keys["ann"].private_bytes_raw())
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), place],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    after = watched(firm)
    assert (lots(after), after.problem) == ("0.4" if place in ("chain", "kept") else "0.5", "")
    firm.limits("max_lots = 0.3")
    assert lots(watched(firm)) == "0.3"
    signed = [event for event in read_log(firm.home / "audit.log") if "sign" in event.action]
    assert len(signed) >= len(watched(firm).controls.entries)
