"""Generated pages that runs link to: where they lie, and their address on the webserver."""

from pathlib import Path

DATA_DOCS = "data-docs"
DBT_DOCS = "dbt-docs"


def folders(home: Path) -> dict[str, Path]:
    """Folder of each site by the first part of its path."""
    return {name: home / "sites" / name for name in (DATA_DOCS, DBT_DOCS)}


def link(site: str, page: str = "index.html") -> str:
    """A link that the page of a run follows on its own server."""
    return f"/{site}/{page}"
