"""Several processes of one flow on one home, started, killed and counted."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.servers import free_port


class Flow:
    """The processes of `python -m streams <name>`."""

    def __init__(self, name: str, home: Path, environment: Mapping[str, str]) -> None:
        self._name, self._home = name, home
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
        self._environment = {**kept, "TICKHOUSE_HOME": str(home), **environment}
        self._processes: list[subprocess.Popen[bytes]] = []
        self.log = home / f"{name}.log"
        home.mkdir(parents=True, exist_ok=True)

    def start(self, count: int) -> None:
        """So many processes; alone, one that has no cluster."""
        addresses = ",".join(f"127.0.0.1:{free_port()}" for _ in range(count))
        for number in range(count):
            place = {
                "TICKHOUSE_STREAMS__ADDRESSES": addresses,
                "TICKHOUSE_STREAMS__PROCESS": str(number),
            }
            with self.log.open("ab") as log:
                self._processes.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "streams", self._name],
                        env=self._environment | (place if count > 1 else {}),
                        stdout=log,
                        stderr=log,
                    )
                )

    def kill_one(self) -> None:
        """SIGKILL the last; the others cannot go on without it, and end."""
        self._processes[-1].send_signal(signal.SIGKILL)
        self.wait()

    def drain(self) -> list[int]:
        """SIGTERM all: they finish what is on the bus. Their exit codes."""
        for process in self._processes:
            process.terminate()
        return self.wait()

    def wait(self, timeout_s: float = 60.0) -> list[int]:
        """Until all have ended; what does not end is killed."""
        codes = []
        for process in self._processes:
            try:
                codes.append(process.wait(timeout=timeout_s))
            except subprocess.TimeoutExpired:
                process.kill()
                codes.append(process.wait())
        self._processes = []
        return codes
