"""Whom each account trades for, as the limits in force say it: execution reads the same."""

import tomllib

from core.clock import Clock
from core.controls.approvals import controls_of, is_signed
from core.errors import InputError
from core.settings import Settings


def clients_of_accounts(settings: Settings, clock: Clock) -> dict[str, str]:
    """Pseudonym by account, of those that name a client.

    Raises:
        InputError: the limits cannot be read.
    """
    path = settings.home_path / "limits.toml"
    try:
        written = tomllib.loads(_content(settings, clock).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"not TOML: {error}; tickhouse limits check FILE") from error
    accounts = written.get("accounts", {})
    named = {name: table.get("client") for name, table in accounts.items()}
    return {name: client for name, client in named.items() if isinstance(client, str)}


def _content(settings: Settings, clock: Clock) -> bytes:
    if is_signed(settings):
        controls = controls_of(settings, clock)
        version = controls.version("limits", "", max(clock.now_us(), controls.newest_us))
        return (controls.content(version) if version else None) or b""
    path = settings.home_path / "limits.toml"
    return path.read_bytes() if path.exists() else b""
