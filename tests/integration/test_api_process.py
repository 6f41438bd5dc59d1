"""The API's process beside a real bus and a real warehouse, either of which may go away."""

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from adapters.bus.nats.bus import NatsBus
from core import trading_control
from core.clock import ManualClock
from core.contracts import codec
from core.sections import BusSettings
from core.topics import TICKS
from tests.support import new_home
from tests.support.api_desk import ApiDesk, problem_of
from tests.support.api_process import api, key_of
from tests.support.compliance_desk import NOW_US, furnish
from tests.support.live_page import batch, now_msc
from tests.support.running_stack import healthy
from tests.support.servers import NatsServer
from tests.support.waiting import until
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]
#: The one never ends, and of the other each is a process of seconds.
NEITHER = ("/v1/stream", "/v1/explain/{id}")
pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="security")]


@pytest.fixture
def bus(nats_server: NatsServer) -> Iterator[NatsBus]:
    client = NatsBus(BusSettings(url=nats_server.url), "test")
    yield client
    client.close()


def tell(bus: NatsBus, number: int, bid: float) -> None:
    bus.publish(TICKS, "sim.BTCUSD", codec.encode(batch(number, now_msc(), bid)), f"t{number}")


def bid_of(client: httpx.Client) -> float | None:
    rows = client.get("/v1/now/quotes").json()["data"]
    return rows[0]["bid"] if rows else None


def test_what_is_now_events_and_a_halt_whatever_is_away(
    tmp_path: Path, nats_server: NatsServer, bus: NatsBus, warehouse: Warehouse
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    text = key_of(home)
    with (
        api(home, nats_server.url, warehouse.environment) as url,
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {text}"}) as client,
    ):
        assert httpx.get(f"{url}/v1/now/quotes").status_code == 401
        assert "Tickhouse API" in httpx.get(f"{url}/docs").text
        tell(bus, 1, 200.0)
        until(lambda: bid_of(client) == 200.0)
        assert client.get("/v1/models").json() == {"data": [], "next": None}
        with client.stream("GET", "/v1/stream?topics=quotes", timeout=30) as events:
            lines = events.iter_lines()
            assert '"bid":200.0' in next(line for line in lines if line.startswith("data"))
            tell(bus, 2, 300.0)
            assert '"bid":300.0' in next(line for line in lines if line.startswith("data"))
        warehouse.kill()
        until(lambda: client.get("/v1/models").status_code == 503)
        nats_server.kill()
        assert bid_of(client) == 300.0
        answer = client.post("/v1/halt", json={"reason": "all is away"})
        assert answer.status_code == 200
    warehouse.start()
    held = trading_control.current(home)
    assert held is not None
    assert (held.state, held.by, held.reason) == ("halted", "ann", "all is away")
    secret = text.split("_", 2)[2]
    assert [p for p in home.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()] == []


def test_a_stack_with_its_api(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TICKHOUSE_")}
    environment = kept | {
        "TICKHOUSE_HOME": str(new_home.for_up(tmp_path / "home")),
        "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD",
        "TICKHOUSE_ORCHESTRATION__ENABLED": "off", "TICKHOUSE_API__ENABLED": "on",
    }  # fmt: skip
    tickhouse = [sys.executable, "-m", "cli.main"]
    with (tmp_path / "up.log").open("wb") as log:
        up = subprocess.Popen([*tickhouse, "up", "--bare"], env=environment, stdout=log, stderr=log)
    try:
        url = healthy(environment, up).processes["api"].detail
        words = [
            "api-keys",
            "create",
            "mine",
            "--for",
            "ann",
            "--scope",
            "market",
            "--scope",
            "desk",
        ]
        printed = subprocess.run(
            [*tickhouse, *words, "--scope", "halt"], env=environment, capture_output=True,
            text=True, check=True,
        ).stdout  # fmt: skip
        headers = {"Authorization": f"Bearer {printed.split()[-1]}"}
        with httpx.Client(base_url=url, headers=headers) as client:
            until(lambda: bid_of(client), running=up)
            until(lambda: client.get("/v1/ticks?source=sim&symbol=BTCUSD").json()["data"])
            until(lambda: client.get("/v1/accounts").json()["data"])
            assert client.post("/v1/halt", json={"reason": "enough"}).json()["heard"] is True
            until(lambda: client.get("/v1/now/trading").json()["data"][0]["state"] == "halted")
        up.send_signal(signal.SIGINT)
        assert up.wait(timeout=120) == 0
    finally:
        if up.poll() is None:
            up.kill()
            up.wait()


def test_it_ends_while_somebody_reads_events(
    tmp_path: Path, nats_server: NatsServer, warehouse: Warehouse
) -> None:
    headers = {"Authorization": f"Bearer {key_of(tmp_path)}"}
    with httpx.Client(headers=headers, timeout=30) as client:
        with api(tmp_path, nats_server.url, warehouse.environment) as url:
            events = client.send(
                client.build_request("GET", f"{url}/v1/stream?topics=links"), stream=True
            )
            lines = events.iter_lines()
            assert next(lines).startswith("retry")
        assert "links" in "".join(lines)  # and then it hung up
        events.close()


@pytest.mark.parametrize("mode", GenerationMode)
def test_fuzzed_by_its_own_document(
    tmp_path: Path, nats_server: NatsServer, warehouse: Warehouse, mode: GenerationMode
) -> None:
    """What the document allows, and what it does not, is answered as the document says."""
    headers = {"Authorization": f"Bearer {key_of(tmp_path)}"}
    with (
        api(tmp_path, nats_server.url, warehouse.environment) as url,
        httpx.Client(headers=headers, timeout=60) as client,
    ):
        document = client.get(f"{url}/v1/openapi.json").json()
        for methods in document["paths"].values():
            for one in methods.values():
                del one["security"]  # the client shows its key; test_owasp.py tries without
        schema = schemathesis.openapi.from_dict(document)
        operations = [one.ok() for one in schema.get_all_operations()]
        fuzzed = [one for one in operations if one.path not in NEITHER]
        assert len(fuzzed) == len(operations) - len(NEITHER) > 20
        for operation in fuzzed:
            fuzz(operation, mode, client, url)
    assert "Traceback" not in (tmp_path / "api.log").read_text()


def fuzz(operation: Any, mode: GenerationMode, client: httpx.Client, url: str) -> None:
    """Ask an operation in many ways. Schemathesis's own sending breaks beside urllib3-future."""

    @settings(max_examples=20, deadline=None, database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url=url)
        del sent["cookies"]
        if isinstance(sent.get("data"), bytes | str):
            sent["content"] = sent.pop("data")
        # A schema does not say all: a cursor is this list's own, JSON has fewer rows than Arrow.
        case.validate_response(client.request(**sent), excluded_checks=[positive_data_acceptance])

    with contextlib.suppress(Unsatisfiable):  # nothing of it can be wrong
        ask()


def test_cases_are_those_of_the_room_for_compliance(
    tmp_path: Path, warehouse: Warehouse
) -> None:  # fmt: skip
    furnished = furnish(warehouse, tmp_path)
    desk = ApiDesk(tmp_path, furnished.clickhouse, ManualClock(NOW_US))
    desk.key("compliance", user="ann")
    cases = desk.get("/v1/cases").json()["data"]
    assert {case["kind"] for case in cases} == {"abuse", "incident", "privacy"}
    assert cases[0]["late"] >= cases[-1]["late"]
    desk.key("compliance", user="joe")  # an analyst
    assert problem_of(desk.get("/v1/cases")) == "scope"
    desk.close()


def test_a_client_that_is_generated_reads_and_halts(
    tmp_path: Path, nats_server: NatsServer, bus: NatsBus, warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """What openapi-python-client writes from the document has every record with its types."""
    text = key_of(tmp_path)
    with api(tmp_path, nats_server.url, warehouse.environment) as url:
        generate(f"{url}/v1/openapi.json", tmp_path / "generated")
        monkeypatch.syspath_prepend(tmp_path)
        operation = partial(_operation, url, text)
        tell(bus, 1, 200.0)
        until(lambda: operation("now_quotes").data)
        (quote,) = operation("now_quotes").data
        assert (quote.symbol, quote.bid, quote.ts_event.tzinfo) == ("BTCUSD", 200.0, UTC)
        insert_ticks(warehouse, 3)
        page = operation("ticks", source="s", symbol="EURUSD", limit=2)
        assert [tick.seq for tick in page.data] == [0, 1]
        rest = operation("ticks", source="s", symbol="EURUSD", cursor=page.next_)
        assert ([tick.seq for tick in rest.data], rest.next_) == ([2], None)
        problem = operation("ticks", source="s'", symbol="EURUSD")
        assert (problem.status, problem.type_) == (422, "/problems/parameter")
        halt = importlib.import_module("generated.models").Halt("by a client")
        assert operation("halt", body=halt).reason == "by a client"
    held = trading_control.current(tmp_path)
    assert held is not None
    assert held.state == "halted"


def generate(document: str, folder: Path) -> None:
    """Write a client as a package."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it runs ruff
    line = ["openapi-python-client", "generate", "--url", document, "--meta", "none",
            "--output-path", str(folder), "--fail-on-warning"]  # fmt: skip
    done = subprocess.run(
        line, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _operation(url: str, text: str, name: str, **given: Any) -> Any:
    package = importlib.import_module("generated")
    with package.AuthenticatedClient(url, token=text) as client:
        one = importlib.import_module(f"generated.api.default.{name}")
        return one.sync(client=client, **given)


def insert_ticks(warehouse: Warehouse, count: int) -> None:
    warehouse.client.command(
        "INSERT INTO tick (source, symbol, ts_event, seq, bid, ask) SELECT 's', 'EURUSD',"
        f" '2024-01-01 00:00:00', number, 1.1, 1.2 FROM numbers({count})"
    )


def test_a_decision_that_is_not_stored(
    tmp_path: Path, nats_server: NatsServer, warehouse: Warehouse
) -> None:
    headers = {"Authorization": f"Bearer {key_of(tmp_path)}"}
    with api(tmp_path, nats_server.url, warehouse.environment) as url:
        answer = httpx.get(f"{url}/v1/explain/nobody", headers=headers, timeout=60)
        assert (answer.status_code, json.loads(answer.text)["type"]) == (404, "/problems/unknown")
