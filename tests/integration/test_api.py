"""Every list of the API on a real warehouse: cursors, entity tags, Arrow, filters, refusals."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.ipc
import pytest
from msgspec.structs import replace

from adapters.clickhouse import client
from api.history import ARROW
from api.resources import RESOURCES
from core import identity
from core.home_users import API
from features.catalog import NAMES
from tests.support.api_desk import ApiDesk, problem_of
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = pytest.mark.process
ROWS = 7
#: Two rows a minute, so that times repeat where something else tells rows apart.
_TIME = "toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + intDiv(number, 2) * 60"
_COLUMNS = {
    "source": "'s'", "symbol": "'EURUSD'", "run_id": "'live'", "account": "'acc1'",
    "strategy": "concat('s', toString(number))", "seq": "number", "ts_event": _TIME,
    "ts_init": _TIME, "signal_id": "concat('s', toString(number))",
    "event_id": "concat('e', toString(number))", "order_id": "'o1'", "kind": "'filled'",
    "model": "concat('m', toString(number))", "name": "'first'", "bid": "1.1", "ask": "1.2",
}  # fmt: skip
_TABLES = {
    "tick": "source symbol ts_event seq bid ask", "model": "model name ts_init",
    "feature": "run_id source symbol ts_event seq",
    "prediction": "run_id source symbol ts_event seq",
    "signal": "run_id account strategy signal_id symbol ts_event seq",
    "order_event": "run_id account order_id event_id kind ts_event seq",
    "position": "run_id account symbol ts_event seq",
    "account_state": "run_id account ts_event seq",
    "portfolio_risk": "run_id account strategy ts_event",
}  # fmt: skip
_FEED = "source=s&symbol=EURUSD"
_QUERIES = {
    "ticks": _FEED, "bars": _FEED, "features": f"{_FEED}&run=live",
    "predictions": f"{_FEED}&run=live", "models": "name=first",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    home = tmp_path_factory.mktemp("home")
    rules = {"tickhouse.tick": "symbol = 'EURUSD'"}
    people = [
        identity.new_user("ann", "admin", "long enough"),
        identity.new_user("eve", "analyst", "long enough", rules),
    ]
    identity.save(identity.path_in(home), {user.name: user for user in people})
    warehouse = migrated(home, NAMES)
    try:
        for table, columns in _TABLES.items():
            _insert(warehouse, table, columns.split())
        _insert(warehouse, "tick", _TABLES["tick"].split(), symbol="'XAUUSD'")
        yield warehouse
    finally:
        warehouse.stop()


def _insert(warehouse: Warehouse, table: str, columns: list[str], **other: str) -> None:
    values = ", ".join({**_COLUMNS, **other}[name] for name in columns)
    names = ", ".join(columns)
    warehouse.client.command(f"INSERT INTO {table} ({names}) SELECT {values} FROM numbers({ROWS})")


@pytest.fixture
def desk(server: Warehouse) -> Iterator[ApiDesk]:
    desk = ApiDesk(server.home, server.settings_of(API))
    desk.key(user="ann")
    yield desk
    desk.close()


def pages(desk: ApiDesk, path: str) -> list[list[dict[str, Any]]]:
    """All pages of a list, as `next` leads on."""
    said = desk.get(path).json()
    read = [said["data"]]
    while said["next"]:
        said = desk.get(f"{path}&cursor={said['next']}").json()
        read.append(said["data"])
    return read


@pytest.mark.parametrize("name", RESOURCES)
def test_a_list_page_by_page_is_the_list(desk: ApiDesk, name: str) -> None:
    query = _QUERIES.get(name, "run=live&account=acc1")
    whole = desk.get(f"/v1/{name}?{query}").json()
    assert whole["next"] is None
    assert len(whole["data"]) == (4 if name == "bars" else ROWS)
    parts = pages(desk, f"/v1/{name}?{query}&limit=3")
    assert [len(part) for part in parts[:-1]] == [3] * (len(parts) - 1)
    assert [row for part in parts for row in part] == whole["data"]
    fields = RESOURCES[name].record.__struct_fields__
    assert all(tuple(row) == fields for row in whole["data"])


@pytest.mark.parametrize("name", RESOURCES)
def test_arrow_holds_the_same_rows(desk: ApiDesk, name: str) -> None:
    query = _QUERIES.get(name, "run=live&account=acc1")
    answer = desk.get(f"/v1/{name}?{query}", accept=ARROW)
    assert answer.headers["content-type"] == ARROW
    table = pyarrow.ipc.open_stream(io.BytesIO(answer.content)).read_all()
    rows = desk.get(f"/v1/{name}?{query}").json()["data"]
    time = RESOURCES[name].time
    assert [f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}" for moment in table[time].to_pylist()] == [
        row[time] for row in rows
    ]
    following = desk.get(f"/v1/{name}?{query}&limit=3", accept=ARROW).links["next"]["url"]
    rest = pyarrow.ipc.open_stream(io.BytesIO(desk.get(following, accept=ARROW).content)).read_all()
    order = list(RESOURCES[name].order)
    assert rest.select(order).equals(table.slice(3, 3).select(order))


def test_a_span_has_its_begin_and_not_its_end(desk: ApiDesk) -> None:
    span = "begin=2024-01-01T00:01:00Z&end=2024-01-01T01:02:00%2B01:00"
    rows = desk.get(f"/v1/ticks?{_FEED}&{span}").json()["data"]
    assert {row["ts_event"] for row in rows} == {"2024-01-01T00:01:00.000000Z"}


def test_an_answer_is_given_again_only_when_it_changed(desk: ApiDesk, server: Warehouse) -> None:
    path = "/v1/models?name=second"
    etag = desk.get(path).headers["etag"]
    again = desk.get(path, if_none_match=f'"other", W/{etag}')
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    _insert(server, "model", _TABLES["model"].split(), name="'second'")
    desk.wait_for_versions()
    changed = desk.get(path, if_none_match=etag)
    assert changed.status_code == 200
    assert len(changed.json()["data"]) == ROWS
    assert changed.headers["etag"] != etag


def test_on_a_cluster_what_shards_have_among_them_is_asked_for_again(
    server: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "cluster_of", lambda _: None)  # the server behind it is alone
    of_one_server = server.settings_of(API)
    spread = ApiDesk(server.home, replace(of_one_server, cluster="firm"))
    spread.key(user="ann")
    for path, code in ((f"/v1/ticks?{_FEED}", 200), ("/v1/models?name=first", 304)):
        etag = spread.get(path).headers["etag"]
        spread.wait_for_versions()
        assert spread.get(path, if_none_match=etag).status_code == code
    spread.close()


def test_who_is_filtered_reads_only_their_rows_and_shares_no_answer(desk: ApiDesk) -> None:
    gold = "/v1/ticks?source=s&symbol=XAUUSD"
    assert len(desk.get(gold).json()["data"]) == ROWS
    desk.key(user="eve")
    assert desk.get(gold).json()["data"] == []
    assert len(desk.get(f"/v1/ticks?{_FEED}").json()["data"]) == ROWS
    assert problem_of(desk.get("/v1/explain/s1")) == "filtered"


def test_filters_that_change_hold_at_once(desk: ApiDesk) -> None:
    path = identity.path_in(desk.home)
    people = identity.load(path)
    desk.key(user="eve")
    gold = "/v1/ticks?source=s&symbol=XAUUSD"
    assert desk.get(gold).json()["data"] == []
    rules = {"tickhouse.tick": "symbol = 'XAUUSD'"}
    eve = identity.new_user("eve", "analyst", "long enough", rules)
    identity.save(path, people | {"eve": eve})
    assert len(desk.get(gold).json()["data"]) == ROWS
    assert desk.get(f"/v1/ticks?{_FEED}").json()["data"] == []
    identity.save(path, people)


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        (f"{_FEED}&simbol=EURUSD", "parameter"), ("source=s", "parameter"),
        (f"{_FEED}&limit=1001", "parameter"), (f"{_FEED}&limit=0", "parameter"),
        (f"{_FEED}&begin=2024-01-01", "parameter"),
        (f"{_FEED}&begin=9999-01-01T00:00:00Z", "parameter"),
        ("source=s'&symbol=EURUSD", "parameter"), (f"{_FEED}&cursor=abc", "cursor"),
        (f"{_FEED}&cursor=WzEsMiwzXQ", "cursor"), (f"{_FEED}&cursor=WyJhIiwgMV0", "cursor"),
    ],
)  # fmt: skip
def test_what_is_no_parameter_is_refused(desk: ApiDesk, query: str, kind: str) -> None:
    answer = desk.get(f"/v1/ticks?{query}")
    assert (answer.status_code, problem_of(answer)) == (422, kind)


def test_a_media_type_that_is_not_given(desk: ApiDesk) -> None:
    answer = desk.get(f"/v1/ticks?{_FEED}", accept="text/csv")
    assert (answer.status_code, problem_of(answer)) == (406, "media-type")


def test_lineage_is_of_one_order(desk: ApiDesk) -> None:
    rows = desk.get("/v1/lineage?order=o1&run=live").json()["data"]
    assert len(rows) == ROWS
    assert (rows[0]["kind"], rows[0]["ts_event"]) == ("filled", "2024-01-01T00:00:00.000000Z")
    assert problem_of(desk.get("/v1/lineage?order=nobody")) == "unknown"


def test_reports_that_were_made(desk: ApiDesk, server: Warehouse) -> None:
    assert desk.get("/v1/reports").json() == {"data": []}
    server.client.command(
        "INSERT INTO audit_event (stream, seq, ts_event, actor, action, subject) VALUES"
        " ('people', 1, '2024-01-03 06:00:00', 'ann', 'report made', 'rts22 2024-01-02')"
    )
    (report,) = desk.get("/v1/reports").json()["data"]
    assert (report["report"], report["of_day"], report["made_by"]) == ("rts22", "2024-01-02", "ann")


def test_cases_of_a_home_without_any(desk: ApiDesk) -> None:
    assert desk.get("/v1/cases").json() == {"data": []}


def test_without_a_warehouse_lists_are_away_and_what_is_now_is_not(tmp_path: Path) -> None:
    desk = ApiDesk(tmp_path)
    desk.key()
    answer = desk.get(f"/v1/ticks?{_FEED}")
    assert (answer.status_code, problem_of(answer)) == (503, "warehouse")
    assert int(answer.headers["retry-after"]) > 0
    assert desk.get("/v1/now/quotes").status_code == 200
    desk.close()
