"""`make empty-marts`: the marts' tables as a real dbt build makes them, written as statements.

`adapters.clickhouse.marts` makes a home's marts from them before dbt ever ran there, so they are
not written by hand: dbt builds over an empty warehouse, and the engine tells what it made.
"""

import sys
import tempfile
from pathlib import Path

from clickhouse_connect.driver.client import Client

from adapters.clickhouse import client, marts, migrate
from core import credentials
from core.home_users import OWNER, sign_in
from core.sections import ClickhouseSettings
from core.settings import Settings
from features.catalog import NAMES
from orchestration import dbt_project
from warehouse import occasion

_HEAD = """-- Marts as dbt makes them, empty: written by `make empty-marts`, not by hand.
-- Nothing in them is a fact of its own: dbt's models say what each column means.
"""


def statements(home: Path) -> str:
    """What dbt makes in a new home, as the text of the file; the home is the caller's to remove."""
    with occasion.started(home) as url:
        where = ClickhouseSettings(url=url, credentials=str(credentials.directory_of(home)))
        owner = client.connect(sign_in(where, OWNER))
        try:
            migrate.apply(owner, NAMES)
            settings = Settings(home=str(home), clickhouse=where)
            dbt_project.run(settings, "run", {"mode": "live"})
            return _HEAD + "".join(f"\n{table};\n" for table in made_by_dbt(owner, "live"))
        finally:
            owner.close()


def made_by_dbt(owner: Client, mode: str) -> list[str]:
    """The statement of each table in the marts of a mode, with `{marts}` for their database."""
    database = marts.database(owner, mode)
    names = owner.query(
        "SELECT name FROM system.tables WHERE database = {db:String} AND engine != 'View'"
        " ORDER BY name",
        parameters={"db": database},
    ).result_rows
    return [_statement(owner, database, str(name)) for (name,) in names]


def _statement(owner: Client, database: str, name: str) -> str:
    statement = str(owner.query(f"SHOW CREATE TABLE `{database}`.`{name}`").result_rows[0][0])
    return statement.replace(
        f"CREATE TABLE {database}.", f"CREATE TABLE IF NOT EXISTS {marts.DATABASE}.", 1
    )


def main() -> int:
    """Write the file; say whether it changed."""
    with tempfile.TemporaryDirectory() as folder:
        text = statements(Path(folder))
    changed = not marts.FILE.exists() or marts.FILE.read_text() != text
    marts.FILE.write_text(text)
    print(f"{marts.FILE.name} {'written' if changed else 'is as it was'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
