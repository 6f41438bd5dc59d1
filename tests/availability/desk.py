"""A desk as people run it, `tickhouse up`, watched process by process, and what is done to it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from cli.stack.running import RunningStack, running
from cli.stack.supervisor_client import SupervisorClient
from core.errors import TickhouseError
from core.process_view import ProcessView, health_of
from tests.availability.faults import Fault
from tests.availability.measure import Sample
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
_EVERY_S = 0.1
_DISK_MIB = 6_144  # sparse
_MIB = bytes(1 << 20)


class Watch:
    """Looks at every process all the time, each in a thread: one that hangs delays no other."""

    def __init__(self, stack: RunningStack) -> None:
        self.samples: dict[str, list[Sample]] = {view.name: [] for view in stack.processes}
        self._client = SupervisorClient(Path(stack.socket))
        self._pids: dict[str, int] = {}
        self._stop = threading.Event()
        threads = [threading.Thread(target=self._keep_pids, daemon=True)]
        threads += [
            threading.Thread(target=self._keep, args=(view,), daemon=True)
            for view in stack.processes
        ]
        for thread in threads:
            thread.start()
        self._threads = threads

    def pid(self, name: str) -> int:
        """Of a process, 0 when it does not run."""
        return self._pids.get(name, 0)

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._client.close()

    def all_ready(self) -> bool:
        """As of the newest look."""
        return all(every and every[-1].ready for every in self.samples.values())

    def _keep_pids(self) -> None:
        while not self._stop.wait(_EVERY_S):
            with contextlib.suppress(TickhouseError, OSError):
                self._pids = {n: p.pid for n, p in self._client.processes().items()}

    def _keep(self, view: ProcessView) -> None:
        while not self._stop.wait(_EVERY_S):
            pid = self.pid(view.name)
            health = health_of(view, pid)[0] if pid else ""
            self.samples[view.name].append(Sample(time.monotonic(), pid, health == "ready"))


class Desk:
    """`tickhouse up` that runs. A fault is over when `inflict` returns."""

    def __init__(self, home: Path, disk: Path | None, watch: Watch) -> None:
        self.home, self._disk, self.watch = home, disk, watch

    @property
    def has_disk(self) -> bool:
        """Whether the home has a file system of its own, which may be filled."""
        return self._disk is not None

    def inflict(self, fault: Fault) -> tuple[float, int]:
        """Do it; from when on recovery counts, and the pid that has to be another."""
        pid = self.watch.pid(fault.target)
        if fault.kind == "kill":
            at_s = time.monotonic()
            self._send(pid, signal.SIGKILL)
            return at_s, pid
        if fault.kind in ("hang", "outage"):
            self._send(pid, signal.SIGSTOP)
            time.sleep(fault.seconds)
            self._send(pid, signal.SIGCONT)
        elif fault.kind == "full":
            self._fill(fault.seconds)
        else:
            self._crowd(fault.seconds)
        return time.monotonic(), 0

    def _send(self, pid: int, number: signal.Signals) -> None:
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _fill(self, seconds: float) -> None:
        """No byte is left on the home's disk."""
        assert self._disk is not None
        filler = self._disk / "filler"
        end_s = time.monotonic() + seconds
        with filler.open("wb", buffering=0) as file:
            while time.monotonic() < end_s:
                try:
                    file.write(_MIB)
                except OSError:
                    time.sleep(_EVERY_S)
        filler.unlink()

    def _crowd(self, seconds: float) -> None:
        """Another process writes and syncs as fast as the home's disk takes it."""
        crowd, end_s = (self._disk or self.home) / "crowd", time.monotonic() + seconds
        with crowd.open("wb", buffering=0) as file:
            while time.monotonic() < end_s:
                file.seek(0)
                for _ in range(16):
                    file.write(_MIB)
                os.fsync(file.fileno())
        crowd.unlink()


@contextlib.contextmanager
def desk(folder: Path) -> Iterator[Desk]:
    """Started, ready and trading its simulated market; drained at the end.

    The home lies on a small file system of its own where one may be mounted (root, Linux).
    """
    with _own_disk(folder) as disk:
        home = (disk or folder) / "home"
        given = {
            "PYTHONPATH": str(ROOT), "TICKHOUSE_HOME": str(home), "TICKHOUSE_RUN__MODE": "demo",
        }  # fmt: skip
        with (folder / "up.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "up"], cwd=folder, env=os.environ | given,
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            stack = until(lambda: running(home), 120, running=process)
            until(lambda: "board" in {view.name for view in stack.processes}, 5)
            watch = Watch(stack)
            try:
                until(watch.all_ready, 600, running=process, every_s=0.5)
                yield Desk(home, disk, watch)
            finally:
                watch.close()
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=120)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def _own_disk(folder: Path) -> Iterator[Path | None]:
    image, place = folder / "disk", folder / "mounted"
    place.mkdir()
    tools = all(shutil.which(tool) for tool in ("mkfs.ext4", "mount", "umount"))
    if tools:
        with image.open("wb") as file:
            file.truncate(_DISK_MIB << 20)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], **quiet)  # type: ignore[call-overload]
        mounted = subprocess.run(["mount", "-o", "loop", str(image), str(place)], **quiet)  # type: ignore[call-overload]
        if mounted.returncode == 0:
            try:
                yield place
            finally:
                subprocess.run(["umount", "--lazy", str(place)], check=True)
            return
    yield None
