"""`tickhouse mcp`: the home for an assistant that speaks MCP, on standard input and output."""

import argparse
from importlib.util import find_spec

from cli.stack.warehouse_client import at_hand, warehouse_settings
from core import identity, log
from core.clock import SystemClock
from core.errors import SettingsError
from core.home_users import ASSISTANT
from core.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none: the client starts it, and settings say which home."""


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Serve until the client ends."""
    if find_spec("mcp") is None:
        raise SettingsError("the MCP server is an extra: pip install 'tickhouse[mcp]'")
    from assistant.server import server

    log.setup("mcp")
    with at_hand(settings):
        where = warehouse_settings(settings, ASSISTANT)
        _refuse_more_than_an_analyst(settings, where.user)
        server(settings, where, SystemClock()).run("stdio")
    return 0


def _refuse_more_than_an_analyst(settings: Settings, user: str) -> None:
    """Whoever the settings sign in as only reads: an assistant obeys any text that it is shown.

    Raises:
        SettingsError: it is a person's user of another role.
    """
    path = identity.path_in(settings.home_path)
    known = identity.load(path).get(user) if identity.exists(path) else None
    if known is not None and known.role not in ("analyst", "grafana"):
        raise SettingsError(f"{user} is {known.role}: an assistant signs in as an analyst")
