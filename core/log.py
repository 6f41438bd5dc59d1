"""Logging: one line per record on standard error; the supervisor keeps a file per process."""

import logging
import sys
import time


def setup(process: str, level: int = logging.INFO) -> None:
    """Configure the root logger of a process. Times are UTC."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter(
        f"%(asctime)s.%(msecs)03dZ {process} %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
