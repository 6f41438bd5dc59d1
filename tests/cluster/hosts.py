"""Hosts of their own: network namespaces on one bridge. Root only; gone at the end."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator

_BRIDGE = "tickhouse0"
_NET = "10.213.7"


def missing() -> str:
    """Why there can be none here; "" when there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    return "" if shutil.which("ip") else "no ip on PATH (iproute2)"


class Host:
    """One namespace with one link to the bridge."""

    def __init__(self, number: int) -> None:
        self.name = f"tickhouse-host{number}"
        self.address = f"{_NET}.{10 + number}"
        self._link = f"tickhouse-l{number}"
        self._number = number

    @property
    def prefix(self) -> tuple[str, ...]:
        """Of a command line that is to run there."""
        return prefix_of(self.name)

    def make(self) -> None:
        """Namespace, link and address."""
        inner = f"tickhouse-i{self._number}"
        for line in (
            f"netns add {self.name}",
            f"link add {self._link} type veth peer name {inner}",
            f"link set {inner} netns {self.name}",
            f"link set {self._link} master {_BRIDGE} up",
            f"-n {self.name} addr add {self.address}/24 dev {inner}",
            f"-n {self.name} link set {inner} up",
            f"-n {self.name} link set lo up",
        ):
            _ip(line)

    def remove(self) -> None:
        """With all in it."""
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip(f"netns del {self.name}")
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip(f"link del {self._link}")

    def cut(self) -> None:
        """Take the link down: nobody hears of the other, and no connection is reset."""
        _ip(f"link set {self._link} down")

    def mend(self) -> None:
        """The link is up again."""
        _ip(f"link set {self._link} up")

    def flap(self, seconds: float) -> None:
        """The link comes and goes: what is sent arrives late, when it is sent again."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.cut()
            time.sleep(0.3)
            self.mend()
            time.sleep(0.5)


@contextlib.contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """So many, each reached from here and from each other."""
    network = [Host(number) for number in range(1, count + 1)]
    with contextlib.suppress(subprocess.CalledProcessError):
        _ip(f"link del {_BRIDGE}")
    for host in network:
        host.remove()
    try:
        _ip(f"link add {_BRIDGE} type bridge")
        _ip(f"addr add {_NET}.1/24 dev {_BRIDGE}")
        _ip(f"link set {_BRIDGE} up")
        for host in network:
            host.make()
        yield network
    finally:
        for host in network:
            host.remove()
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip(f"link del {_BRIDGE}")


def prefix_of(host: str) -> tuple[str, ...]:
    """Of a command line that is to run on a host."""
    return ("ip", "netns", "exec", host)


def _ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True, capture_output=True, timeout=20)
