"""The supervisord that belongs to one stack: its socket, its configuration, its life."""

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.stack.process_spec import ProcessSpec
from cli.stack.process_state import last_lines
from cli.stack.running import SOCKETS
from cli.stack.supervisor_client import SupervisorClient
from cli.stack.supervisor_config import log_of, render
from core.errors import TickhouseError, UnavailableError

_STARTS_WITHIN_S = 10.0
_ENDS_WITHIN_S = 80.0  # it waits for what it still stops, each process within its own time


class Supervisord:
    """A child of ours from construction to `close`. It starts no process by itself.

    Raises:
        TickhouseError: it did not start; with the end of its log.
    """

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str],
        specs: Sequence[ProcessSpec],
        lock_fd: int,
    ) -> None:
        """`environment`: its own and every process's. It inherits `lock_fd`, the locked home."""
        # A socket's path has at most 107 bytes, and a home may be deep.
        self._directory = Path(tempfile.mkdtemp(prefix=SOCKETS))
        self.socket = self._directory / "supervisor.sock"
        self.client = SupervisorClient(self.socket)
        self._log = log_of(home, "supervisord-start")
        try:
            config = _written(home, render(home, self.socket, specs))
            self._log.parent.mkdir(exist_ok=True)
            self._process = self._start(config, environment, lock_fd)
            self._await()
        except BaseException:
            self._clean_up()
            raise

    def alive(self) -> bool:
        """Whether it runs; when it does not, none of its processes does."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it and what it still runs."""
        try:
            if self.alive():
                with contextlib.suppress(UnavailableError):  # somebody else told it to end
                    self.client.shutdown()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_ENDS_WITHIN_S)
        finally:
            self._clean_up()

    def _start(
        self, config: Path, environment: Mapping[str, str], lock_fd: int
    ) -> subprocess.Popen[bytes]:
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock_fd],
                start_new_session=True,  # Ctrl-C in the terminal is its owner's to handle
            )

    def _await(self) -> None:
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while True:
            try:
                self.client.processes()
            except UnavailableError as error:
                if not self.alive() or time.monotonic() > deadline:
                    end = "\n  ".join(last_lines(str(self._log)))
                    raise TickhouseError(
                        f"the supervisor did not start; the end of {self._log}:\n  {end}"
                    ) from error
                time.sleep(0.01)
            else:
                return

    def _clean_up(self) -> None:
        if hasattr(self, "_process") and self.alive():
            self._process.kill()
            self._process.wait()
        self.client.close()
        shutil.rmtree(self._directory, ignore_errors=True)


def _written(home: Path, text: str) -> Path:
    path = home / "run" / "supervisord.conf"
    path.touch(mode=0o600)
    path.write_text(text)
    return path
