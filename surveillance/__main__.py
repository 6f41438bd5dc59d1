"""The process that watches the controls: `python -m surveillance`."""

import sys

from core.log import exit_code
from surveillance.watcher import main

if __name__ == "__main__":
    sys.exit(exit_code(main))
