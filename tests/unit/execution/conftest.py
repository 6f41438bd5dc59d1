"""Execution syncs every journal record to the disk, hundreds of times in a replay of a minute.

Nothing here pulls the plug, so these journals lie in memory where the machine has room for them:
a busy disk makes most of a test's time otherwise. Kills and full disks are tried on a real one.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")
_ROOM = 1 << 29  # bytes; a container's is 64 MB unless it was given more


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory; pytest's own where there is none, or a small one."""
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="tickhouse-", dir=_MEMORY) as folder:
        yield Path(folder)
