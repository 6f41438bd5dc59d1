"""`tickhouse agent`: answer for the real terminal on this machine, in the foreground."""

import argparse

LOADS_SETTINGS_ITSELF = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: terminal, bus and name are a matter of settings."""


def run(namespace: argparse.Namespace) -> int:
    """Answer until Ctrl-C."""
    from streams import agent

    return agent.main()
