"""What stands beside a terminal runs on Windows: simulated by taking away what Windows lacks.

A process of its own loads the standard library and what `[edge]` brings, then loses POSIX:
functions, constants, modules, and every package that is not installed there. All modules of the
edge are imported, and what touches disk and sockets is run.
"""

import subprocess
import sys
import textwrap

from tests.architecture.test_execution_is_light import BLOCKED

MODULES = (
    "streams.collector", "streams.agent", "execution.__main__", "adapters.bus.nats.bus",
    "adapters.bus.nats.server", "adapters.bus.rpc.client", "adapters.bus.rpc.server",
    "adapters.mt5.connect", "adapters.mt5.remote.answers", "adapters.mt5.real.probe", "cli.main",
    "cli.commands.agent", "cli.commands.connect", "cli.commands.doctor", "cli.commands.halt",
    "cli.pairing", "cli.commands.resume", "cli.commands.limits", "cli.commands.override",
    "cli.commands.throttle", "cli.commands.orders", "cli.commands.status", "cli.commands.users",
)  # fmt: skip

PROGRAM = """
import asyncio, concurrent.futures, ctypes, getpass, http.server, importlib, logging
import multiprocessing, os, pathlib, pkgutil, selectors, shutil, signal, socket, ssl
import subprocess, sys, tempfile
import threading, unittest.mock, urllib.request, xmlrpc.client, zoneinfo
import msgspec, nats, nats.aio.client, numpy, prometheus_client, rich.console, rich.live, rich.table

for name in ("fork", "fdatasync", "pwrite", "pread", "getuid", "geteuid", "getloadavg", "sysconf",
             "setsid", "killpg", "mkfifo", "statvfs", "sched_setscheduler", "sched_getaffinity",
             "posix_fallocate", "O_DIRECTORY", "O_CLOEXEC", "O_NOFOLLOW"):
    if hasattr(os, name): delattr(os, name)
for name in ("SIGKILL", "SIGSTOP", "SIGCONT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGALRM"):
    delattr(signal, name)
for name in ("SO_REUSEPORT", "AF_UNIX", "SO_PEERCRED"):
    if hasattr(socket, name): delattr(socket, name)
gone = set(sys.argv[1].split(",")) | {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty"}
for name in gone: sys.modules.pop(name, None)
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in gone:
            raise ImportError(f"{name} does not exist on Windows")
sys.meta_path.insert(0, Blocker())
import execution
names = [info.name for info in pkgutil.walk_packages(execution.__path__, "execution.")]
for name in [*names, *sys.argv[2].split(",")]:
    importlib.import_module(name)

# From here on our code takes its ways for Windows; of the library nothing new is loaded.
locked = []
sys.modules["msvcrt"] = unittest.mock.Mock(LK_NBLCK=2, locking=lambda *a: locked.append(a))
sys.platform = os.name = "win32"
os.name = "posix"  # pathlib has made its choice; only our own guards look at sys.platform
from adapters.simulator.broker.request_log import RequestLog
from core import crashpoint, trading_control
from core.clock import SystemClock
from core.health import Health
from execution.breakers.halt_port import HaltPort
from execution.journal.journal import Journal
from execution.risk.trading_state import TradingState
from cli import main
from cli.stack import home_lock
home = pathlib.Path(tempfile.mkdtemp())
os.environ["TICKHOUSE_HOME"] = str(home)
journal = Journal(home / "journal")
assert locked, "the journal was not locked"
journal.close()
trading = TradingState(home / "control.json", home / "breakers.json")
with HaltPort(home, trading):
    assert main.main(["halt", "--by", "ann", "--reason", "news"]) == 0
    assert trading.state == "halted"
assert main.main(["resume", "--by", "ann", "--reason", "over"]) == 0
trading.poll()
assert trading.state == "active"
log = RequestLog(home / "account.log", {"account": 1})
log.append({"request": 1})
log.close()
health = Health("edge", home / "run")
health.close()
crashpoint.arm_for("edge", "", home / "run")
assert not home_lock.is_taken(home)
print("portable")
"""


def test_the_edge_imports_and_works_without_posix() -> None:
    blocked = {*BLOCKED, "pyarrow", "supervisor"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), ",".join(blocked), ",".join(MODULES)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.endswith("portable\n"), done.stderr
