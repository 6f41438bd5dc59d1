"""Every file of a home, damaged: refused with its name and a remedy, healed, or harmless.

A home in which execution traded and people ordered is copied for each damage, and what a damaged
file meets is asked of the code that reads it. A file that no line of the table knows fails.
Databases keep their own checksums: `bus/` and `warehouse/` are their servers'.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.mt5.fence import Fence
from adapters.mt5.remote import hello
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.terminal import SimulatedTerminal
from core import audit_log, identity, trading_control
from core.audit_log import AuditLine
from core.clock import ManualClock
from core.credentials import directory_of, secret
from core.errors import TickhouseError
from core.sections import ExecutionSettings
from core.trading_control import ControlCommand, halt, resume
from execution.journal import witness
from execution.journal.delivered import Delivered
from execution.journal.journal import Journal
from execution.journal.journal import events as journal_events
from execution.risk import limits_file, overrides
from execution.risk.limits import of_settings
from execution.risk.overrides import Override, Overrides
from execution.risk.trading_state import TradingState
from tests.support.live_execution import ACCOUNT, SYMBOL, execution

LIMITS = b'version = "1"\n[limits]\nmax_lots = 2.0\n'
MARKET = GeneratedMarket((SYMBOL,), "sim", 7)


class Meets(NamedTuple):
    """What reading a file gave: what it says; or that it was refused, or that trading halts."""

    said: object = None
    refused: str = ""
    halted: str = ""


Reader = Callable[[Path, Path], Meets]


def refusing(read: Callable[[Path, Path], object]) -> Reader:
    """`read` of home and file, whose error of ours is a refusal. Any other error fails."""

    def reads(home: Path, path: Path) -> Meets:
        try:
            return Meets(said=read(home, path))
        except TickhouseError as error:
            return Meets(refused=str(error))

    return reads


def _trading(home: Path, _path: Path) -> Meets:
    own = home / "execution" / ACCOUNT
    now = TradingState(trading_control.path_in(home), own / "breakers.json").current
    return Meets(halted=now.reason) if "cannot be read" in now.reason else Meets(said=now)


def _journal(home: Path, _path: Path) -> object:
    place = home / "execution" / ACCOUNT / "journal"
    opened = Journal(place, witnessed=witness.read(witness.path_in(home, ACCOUNT)))
    opened.close()
    return len(opened.take())


def _limits(home: Path, _path: Path) -> object:
    own = home / "execution" / ACCOUNT / "limits.toml"
    limits = limits_file.LimitsFile(ACCOUNT, of_settings(ExecutionSettings()), home, own)
    return limits.problem or limits.rules.version


def _account(home: Path, _path: Path) -> object:
    account = SimulatedTerminal(MARKET, log=home / "account.log")
    try:
        return account.account_info()
    finally:
        account.shutdown()


def _audited(home: Path, _path: Path) -> object:
    audit_log.append(home, AuditLine(9, "eve", False, "halt", "after the damage"))
    return [event.seq for event in audit_log.read(audit_log.path_in(home))][-1]


def _published(home: Path, _path: Path) -> object:
    """The event after which the next start publishes; 0 when it publishes all again."""
    place = home / "execution" / ACCOUNT / "journal"
    mark = Delivered(place).mark()
    hashes = {event.seq: event.hash for event in journal_events(place)}
    return mark.seq if hashes.get(mark.seq) == mark.hash else 0


class Line(NamedTuple):
    """One kind of file: who reads it, and what a damage may lead to."""

    pattern: str
    read: Reader
    may: frozenset[str]  # of: refused, halted, harmless (it says the same), another (see below)


def line(pattern: str, read: Reader, *may: str) -> Line:
    return Line(pattern, read, frozenset(may))


#: `another`: it says something else, and that is seen: limits have a version of their content that
#: stands in every decision; a secret is compared with the other side's.
TABLE = (
    line("control.json", _trading, "halted", "harmless"),
    line(f"execution/{ACCOUNT}/breakers.json", _trading, "halted", "harmless"),
    line(f"execution/{ACCOUNT}/journal", refusing(_journal), "refused", "harmless"),
    # Nobody depends on it: with less in it more is sent again, which is harmless.
    line(f"execution/{ACCOUNT}/published.json", refusing(_published), "harmless", "another"),
    line(f"witness/journal.{ACCOUNT}.json", refusing(_journal), "refused", "harmless"),
    line("audit.log", refusing(_audited), "refused", "harmless"),
    line("witness/audit.json", refusing(_audited), "refused", "harmless"),
    line("limits.toml", refusing(_limits), "refused", "harmless", "another"),
    line(f"execution/{ACCOUNT}/limits.toml", refusing(_limits), "harmless"),
    line("decisions.json", refusing(lambda h, p: overrides.load(p)), "refused", "harmless"),
    line("users/identity.json", refusing(lambda h, p: identity.load(p)), "refused", "harmless"),
    line("credentials/*", refusing(lambda h, p: secret(p.parent, p.name)), "refused", "another"),
    line("account.claim", refusing(lambda h, p: Fence(p).claim), "refused", "harmless"),
    line("account.log", refusing(_account), "refused", "harmless"),
    line("witness/account.log.txt", refusing(_account), "refused", "harmless"),
    line("*.lock", refusing(lambda h, p: None), "harmless"),
    line("execution/halt_port", refusing(lambda h, p: trading_control.ask(h, _HALT)), "harmless"),
    line("run/*", refusing(lambda h, p: None), "harmless"),  # of processes that run
)
_HALT = ControlCommand("halted", "ann", "r", 5)
SERVERS_OWN = ("bus/*", "warehouse/*")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """After a short run: execution took its lease, people halted, resumed and decided."""
    root = tmp_path_factory.mktemp("damaged")
    folder = root / "home"
    with execution(folder, root / "bus") as (_, process):
        (folder / "limits.toml").write_bytes(LIMITS)
        halt(folder, "ann", "news", ManualClock(5))
        audit_log.append(folder, AuditLine(6, "ann", False, "resume", "over"))
        resume(folder, "ann", "over", ManualClock(6))
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
    own = folder / "execution" / ACCOUNT
    state = TradingState(trading_control.path_in(folder), own / "breakers.json")
    state.trip(ControlCommand("reducing", "drawdown", "too far", 7))
    _limits(folder, folder)
    decided = Override(
        rule="max_lots", value=3.0, account=ACCOUNT, symbol="", by="ann", reason="for a test",
        from_us=1, until_us=2,
    )  # fmt: skip
    overrides.save(overrides.path_in(folder), Overrides((decided,)))
    identity.save(
        identity.path_in(folder), {"ann": identity.new_user("ann", "admin", "long enough")}
    )
    for role in hello.ROLES:
        hello.secret_of(directory_of(folder), role)
    Fence(folder / "account.claim").admits(3, "somebody")
    account = SimulatedTerminal(MARKET, log=folder / "account.log")
    account.shutdown()
    place = own / "journal"
    os.truncate(place, len(place.read_bytes().rstrip(b"\0")) + 4096)  # 16 MiB in each copy is much
    return folder


def damages(path: Path) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """By name, what is done to a file."""
    content = path.read_bytes()
    used = len(content.rstrip(b"\0"))
    yield "emptied", lambda p: p.write_bytes(b"")
    for share in (0.25, 0.5, 0.9):
        end = int(used * share)
        yield f"truncated to {end}", lambda p, end=end: p.write_bytes(content[:end])
    if b"\n" in content[:-1]:
        end = content[:-1].rindex(b"\n") + 1
        yield "its last line cut", lambda p, end=end: p.write_bytes(content[:end])
    for place in {0, used // 3, used // 2, 2 * used // 3, used - 1} if used else ():
        for bit in (1, 64, 128):
            yield (
                f"bit {bit} of byte {place} flipped",
                lambda p, place=place, bit=bit: p.write_bytes(_flipped(content, place, bit)),
            )
    yield "replaced by a link to nothing", _link_to_nothing
    yield "replaced by a link to another", _link_to_another


def _flipped(content: bytes, place: int, bit: int) -> bytes:
    changed = bytearray(content)
    changed[place] ^= bit
    return bytes(changed)


def _link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("nothing there")


def _link_to_another(path: Path) -> None:
    other = path.with_name(f"another-{path.name}")
    other.write_bytes(b"{}\n")
    path.unlink()
    path.symlink_to(other.name)


def files(home: Path) -> list[str]:
    """Of the home, from its root; without those that a server keeps for itself."""
    names = [str(path.relative_to(home)) for path in sorted(home.rglob("*")) if path.is_file()]
    return [name for name in names if not any(fnmatch(name, own) for own in SERVERS_OWN)]


def test_every_file_of_a_home_is_in_the_table_and_every_line_of_it_in_the_home(home: Path) -> None:
    names = files(home)
    unknown = [n for n in names if not any(fnmatch(n, known.pattern) for known in TABLE)]
    assert not unknown
    seen = {known.pattern for known in TABLE for name in names if fnmatch(name, known.pattern)}
    assert seen >= {known.pattern for known in TABLE} - {"run/*", "execution/halt_port"}


@pytest.mark.parametrize("known", TABLE, ids=lambda known: known.pattern)
def test_a_damaged_file_is_refused_halts_or_says_the_same(
    home: Path, tmp_path: Path, known: Line
) -> None:
    for name in [n for n in files(home) if fnmatch(n, known.pattern)]:
        whole = known.read(_copy(home, tmp_path / "whole"), tmp_path / "whole" / name)
        assert not whole.refused, whole
        assert not whole.halted, whole
        for number, (what, damage) in enumerate(damages(home / name)):
            copied = _copy(home, tmp_path / str(number))
            damage(copied / name)
            met = known.read(copied, copied / name)
            assert _kind(met, whole) in known.may, f"{name} {what}: {met}"
            if met.refused:
                assert str(tmp_path) in met.refused, f"{name} {what} does not name it: {met}"
                assert len(met.refused) > len(str(copied / name)) + 40, f"no remedy: {met}"
            shutil.rmtree(copied)


def _kind(met: Meets, whole: Meets) -> str:
    if met.refused or met.halted:
        return "refused" if met.refused else "halted"
    return "harmless" if met == whole else "another"


def _copy(home: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    ignored = shutil.ignore_patterns("bus", "warehouse")
    return shutil.copytree(home, to, ignore=ignored, symlinks=True)
