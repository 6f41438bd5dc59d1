"""A query of the ClickHouse data source, as panels, variables and annotations carry it.

The SDK knows Grafana's own data sources; this one adds the official ClickHouse plugin's, in the
form its version 4 saves. The SQL stands in files under sql/.
"""

from enum import IntEnum
from pathlib import Path

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from dashboards.grafana.source import TYPE, UID

SOURCE = DataSourceRef(type_val=TYPE, uid=UID)
_SQL = Path(__file__).parent / "sql"


class Format(IntEnum):
    """What the plugin makes of the rows."""

    TIME_SERIES = 0
    TABLE = 1


class ClickhouseQuery(Dataquery):
    """One statement. `to_json` is what the SDK's encoder asks for."""

    def __init__(self, sql: str, form: Format, ref_id: str = "A") -> None:
        self.sql, self.form, self.ref_id = sql, form, ref_id

    def to_json(self) -> dict[str, object]:
        """As the plugin saves it."""
        return {
            "datasource": SOURCE.to_json(),
            "editorType": "sql",
            "format": int(self.form),
            "queryType": "timeseries" if self.form is Format.TIME_SERIES else "table",
            "rawSql": self.sql,
            "refId": self.ref_id,
        }


class Query(Builder[Dataquery]):
    """Builder of the statement in sql/NAME.sql."""

    def __init__(self, name: str, form: Format = Format.TABLE) -> None:
        self._query = ClickhouseQuery(sql(name), form)

    def build(self) -> Dataquery:
        """The query."""
        return self._query


def sql(name: str) -> str:
    """The text of sql/NAME.sql."""
    return (_SQL / f"{name}.sql").read_text().strip()
