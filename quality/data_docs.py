"""Data Docs of a day: Great Expectations' own pages of what every check found.

A folder per trading day, so that a page keeps its address, under an index of days.
"""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

_SITE = "day"
_INDEX = """<!doctype html><meta charset="utf-8"><title>Data Docs</title>
<style>body{{font:16px system-ui;margin:3rem auto;max-width:40rem}}</style>
<h1>Data Docs</h1><p>What the data checks found, by trading day (17:00 New York).</p>
<ul>{days}</ul>
"""


def prepare(context: Any, folder: Path, day: date) -> None:
    """Let the context write the day's pages; those of an earlier check go."""
    where = folder / day.isoformat()
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True)
    context.add_data_docs_site(
        site_name=_SITE,
        site_config={
            "class_name": "SiteBuilder",
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(where),
            },
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )


def write(context: Any, folder: Path) -> None:
    """Write the pages, and the index of all days."""
    context.build_data_docs(site_names=[_SITE])
    days = sorted((page.parent.name for page in folder.glob("*/index.html")), reverse=True)
    items = "".join(f'<li><a href="{day}/index.html">{day}</a></li>' for day in days)
    (folder / "index.html").write_text(_INDEX.format(days=items))
