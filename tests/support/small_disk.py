"""A file system of its own that is soon full: a tmpfs, mounted where that is allowed."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SIZE_MIB = 64


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """An empty file system of 64 MiB; skips where a test may not mount one."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("a small file system cannot be mounted: there is no `mount` here")
    options = ["-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", str(place)]
    done = subprocess.run([mount, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted (needs root): {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path, leave_mib: int) -> Path:
    """A file that takes all but `leave_mib` MiB; delete it to give the space back."""
    filler, free = disk / "filler", shutil.disk_usage(disk).free
    with filler.open("wb") as file:
        for _ in range(free // (1 << 20) - leave_mib):
            file.write(bytes(1 << 20))
    return filler


def fill_up(disk: Path) -> list[Path]:
    """Fill it to the last byte, whatever else grows meanwhile; delete the files for the space."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    return [filler]
