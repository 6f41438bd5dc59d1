"""The process that watches the controls: `python -m surveillance`."""

import sys

from core.log import told
from surveillance.watcher import main

if __name__ == "__main__":
    sys.exit(told(main))
