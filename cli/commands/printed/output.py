"""Where commands print: as wide as the terminal, and wide enough for tables in a pipe or a file."""

import os
from typing import Any

from rich.console import Console

_FILE_WIDTH = 160  # columns where no terminal sets them


def console(**options: Any) -> Console:
    """A console of rich's with these options; COLUMNS, if set, says how wide a file is."""
    chosen = Console(**options)
    if chosen.is_terminal or "COLUMNS" in os.environ:
        return chosen
    return Console(width=_FILE_WIDTH, **options)
