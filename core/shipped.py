"""What differs between a checkout and an installed wheel: where files that belong to no package
lie (a folder `dbt` beside the packages would hide dbt's own), and how more is installed.
"""

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_INSIDE = _ROOT / "tickhouse" / "shipped"  # pyproject.toml puts it there, in a wheel only
IN_CHECKOUT = not _INSIDE.exists()
#: How Dagster, dbt and Great Expectations come into this environment.
INSTALL_SCHEDULES = (
    "make install-orchestration" if IN_CHECKOUT else "install the wheel with its extra server"
)


def shipped(path: str) -> Path:
    """A file or folder of the project, named as in a checkout."""
    return (_ROOT if IN_CHECKOUT else _INSIDE) / path
