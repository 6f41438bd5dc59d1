"""What a person types and arguments must not say, for other users of the machine can read those."""

import getpass
import sys


def ask(what: str) -> str:
    """From the terminal, unseen; else a line of standard input."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{what}: ").strip()
    return sys.stdin.readline().strip()
