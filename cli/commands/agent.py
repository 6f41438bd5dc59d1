"""`tickhouse agent`: answer for the real terminal on this machine; `invite` and `pair` before it.

`invite` runs where the home is and prints one code; `pair` takes it on the terminal's host.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from core import settings_file, tls
from core.errors import BusyError, InputError, SettingsError, UnavailableError
from core.settings import Settings, load

LOADS_SETTINGS_ITSELF = True
_ANYWHERE = "0.0.0.0"  # noqa: S104 - with TLS and passwords only; the server refuses it else
_PATIENCE_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: terminal, bus and name are a matter of settings, which pairing writes."""
    steps = parser.add_subparsers(dest="step", metavar="STEP")
    invite = steps.add_parser("invite", help="on the home's machine: print the code for an agent")
    invite.add_argument(
        "--host", required=True, help="name or address by which the agent's host reaches this one"
    )
    invite.add_argument("--name", default="desk", help="the agent's; default desk")
    pair = steps.add_parser("pair", help="on the terminal's host: take the code, and connect once")
    pair.add_argument(
        "code", nargs="?", default="-", metavar="CODE",
        help="what invite printed, or a file that holds it; -: asked for, so no history keeps it",
    )  # fmt: skip


def run(namespace: argparse.Namespace) -> int:
    """Answer until Ctrl-C, or one step of pairing."""
    if namespace.step == "invite":
        return _invite(namespace.host, namespace.name, load())
    if namespace.step == "pair":
        return _pair(_read(namespace.code))
    from streams import agent

    return agent.main()


def _invite(host: str, name: str, settings: Settings) -> int:
    from adapters.bus.nats.server import LOOPBACK
    from cli import pairing

    if settings.bus.url or settings.bus.is_kafka:
        raise SettingsError(
            "bus.url is set: on a server of your own give the agent a user by hand"
            " (docs/how-to/connect-a-real-terminal.md)"
        )
    path = settings_file.add(
        Path.cwd(),
        {
            "bus": {"listen": LOOPBACK if host in (LOOPBACK, "localhost") else _ANYWHERE},
            "terminal": {"kind": "agent", "agent": name},
        },
    )
    issued = _issued(settings.home_path, host)
    code = pairing.invite(settings.home_path, host, settings.bus.port, name)
    print(f"{path.name} here: the bus listens for the agent, and the terminal is the agent's.")
    if issued:
        print(
            f"The home has a new certificate, also for {host}: stop everything on it, start again."
        )
    print(
        "On the terminal's host, in an empty folder (the code is a password; tell nobody else):\n"
    )
    print(f"tickhouse agent pair {code}")
    print("\nThen there: tickhouse connect --source NAME, and: tickhouse agent")
    return 0


def _issued(home: Path, host: str) -> bool:
    """Whether a certificate had to be made for that host."""
    from cli import certificates

    if tls.authority_of(home) and host in certificates.names_of(certificates.shown(home)):
        return False
    certificates.issue(home, [host], datetime.now(UTC))
    return True


def _read(code: str) -> str:
    if code == "-":
        print("The code that `tickhouse agent invite` printed:", file=sys.stderr)
        return sys.stdin.readline()
    try:
        path = Path(code)
        return path.read_text() if path.is_file() else code
    except (OSError, UnicodeDecodeError):  # a code is no file's name: too long for one
        return code


def _pair(code: str) -> int:
    from adapters.bus.rpc.server import RpcServer
    from cli import pairing

    invitation = pairing.decode(code)
    path = pairing.accept(invitation, load(), Path.cwd())
    print(f"Paired as {invitation.name} with {invitation.url}: {path}")
    paired = load()
    door = RpcServer(paired.bus, paired.terminal.agent)
    try:
        door.claim(_PATIENCE_S)
    except (BusyError, UnavailableError, InputError) as error:
        print(f"It does not answer yet: {error}", file=sys.stderr)
        return 1
    finally:
        door.close()
    print("Connected. Next: tickhouse connect --source NAME, then: tickhouse agent")
    return 0
