"""`tickhouse support-bundle [--to PATH]`: what somebody who helps needs, in one archive.

Versions, settings without secrets, status, checks and logs; passwords, tokens and keys are hidden
wherever they stand. What is inside is listed, so that it can be looked at before it is sent.
"""

import argparse
import time
from pathlib import Path

from cli.commands.doctor import all_checks
from cli.commands.status import as_json
from cli.diagnostics import redaction, support_bundle
from cli.diagnostics.checks_stack import loaded_settings
from cli.diagnostics.status import stack_status

LOADS_SETTINGS_ITSELF = True  # wrong settings are one reason to ask for help


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to."""
    parser.add_argument(
        "--to", metavar="PATH", default=".",
        help="a new file, or the folder for one named by the time (default: the current one)",
    )  # fmt: skip


def run(namespace: argparse.Namespace) -> int:
    """Collect, write, list."""
    settings, check = loaded_settings()
    now = time.gmtime()
    path = Path(namespace.to).resolve()
    if path.is_dir():
        path /= time.strftime("tickhouse-support-%Y%m%dT%H%M%SZ.tar.gz", now)
    collected = support_bundle.parts(
        settings,
        lambda: as_json(stack_status(settings), settings),
        lambda: all_checks(settings, check),
    )
    hidden = redaction.of_this_process(settings)
    taken_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", now)
    print(support_bundle.listing(support_bundle.write(path, collected, hidden, taken_at)))
    print(
        f"In {path}, readable by you alone. Look into it before you send it: tar -xzf {path.name}"
    )
    return 0
