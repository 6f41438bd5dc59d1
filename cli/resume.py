"""`tickhouse resume --by WHO --reason TEXT`: lifts the kill switch."""

import argparse

from cli.halt import add_arguments, switch
from core.settings import Settings

__all__ = ["add_arguments", "run"]


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Resume."""
    return switch("active", namespace, settings)
