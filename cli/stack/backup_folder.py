"""Where the embedded warehouse may write and read a backup: below its home, and nowhere else.

Its process has given up all other folders (`warehouse/confinement.py`), so a backup that a person
wants elsewhere is made in `HOME/backups` and moved, and one that lies elsewhere is linked or copied
there.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from core.errors import InputError


@contextlib.contextmanager
def to_fill(folder: Path, home: Path, url: str) -> Iterator[Path]:
    """A folder that the warehouse at `url` can make; in the end its content is in `folder`.

    Raises:
        InputError: `folder` exists.
    """
    if folder.exists():
        raise InputError(str(folder), "exists already: choose a new folder")
    if _reaches(folder, home, url):
        yield folder
        return
    with _beside(home, folder.name) as near:
        yield near
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(near, folder)


@contextlib.contextmanager
def to_read(folder: Path, home: Path, url: str) -> Iterator[Path]:
    """A folder with the same content that the warehouse at `url` can read."""
    if _reaches(folder, home, url):
        yield folder
        return
    with _beside(home, folder.name) as near:
        shutil.copytree(folder, near, copy_function=_linked)
        yield near


def _reaches(folder: Path, home: Path, url: str) -> bool:
    """Whether the warehouse is another one than the home's, or the folder is the home's."""
    own = home / "run" / "warehouse.url"
    return not (own.exists() and own.read_text() == url) or folder.is_relative_to(home)


@contextlib.contextmanager
def _beside(home: Path, name: str) -> Iterator[Path]:
    near = home / "backups" / f"{name}.{os.getpid()}"
    try:
        yield near
    finally:
        shutil.rmtree(near, ignore_errors=True)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)
