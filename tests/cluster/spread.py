"""`tickhouse` with the processes of its stack on hosts of their own.

    python -m tests.cluster.spread HOSTS replay …

HOSTS is JSON: by process name, the network namespace. The supervisor that starts, watches and ends
them is where the command is; whether a process is ready is asked on the host of that process.
"""

import contextlib
import ctypes
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from cli import main
from cli.replay import run
from cli.stack import process_state
from cli.stack.process_spec import ProcessSpec
from cli.stack.process_state import ProcessView
from tests.cluster.hosts import prefix_of

_NETWORK = 0x40000000  # CLONE_NEWNET


def placed(hosts: dict[str, str]) -> None:
    """From now on a replay's processes are started there."""
    embedded_stack, health_of = run.embedded_stack, process_state.health_of

    def on_hosts(*arguments: Any, **options: Any) -> list[ProcessSpec]:
        stack = embedded_stack(*arguments, **options)
        assert {spec.name for spec in stack} == hosts.keys()
        return [
            replace(spec, command=(*prefix_of(hosts[spec.name]), *spec.command)) for spec in stack
        ]

    def there(view: ProcessView, pid: int) -> tuple[str, str]:
        with _on(hosts[view.name]):
            return health_of(view, pid)

    run.embedded_stack, process_state.health_of = on_hosts, there


@contextlib.contextmanager
def _on(host: str) -> Iterator[None]:
    """This thread has that host's network."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _enter(os.open(Path("/run/netns") / host, os.O_RDONLY))
        yield
    finally:
        _enter(here)


def _enter(namespace: int) -> None:
    failed = ctypes.CDLL(None, use_errno=True).setns(namespace, _NETWORK)
    os.close(namespace)
    if failed:
        raise OSError(ctypes.get_errno(), "setns")


if __name__ == "__main__":
    placed(json.loads(sys.argv.pop(1)))
    sys.exit(main.main())
