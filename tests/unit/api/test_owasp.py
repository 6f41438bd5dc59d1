"""OWASP's API security top ten of 2023, an attack each; then tokens of other systems, and bombs."""

import base64
import hmac
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api import door, keys
from api.resources import RESOURCES
from api.scopes import OF_ROLE, SCOPES
from core import identity, trading_control
from tests.support.api_desk import ApiDesk, problem_of
from tests.unit.api.test_now import QUOTE


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ApiDesk]:
    desk = ApiDesk(tmp_path / "home")
    desk.key()
    yield desk
    desk.close()


def operations(desk: ApiDesk) -> dict[tuple[str, str], Any]:
    """Every operation by method and path, as the document has it."""
    paths = desk.get("/v1/openapi.json").json()["paths"]
    return {(method, path.replace("{id}", "a")): one for path, methods in paths.items()
            for method, one in methods.items()}  # fmt: skip


def test_1_object_level_what_is_filtered_is_filtered_in_every_operation(desk: ApiDesk) -> None:
    """A person whose rows are filtered gets nothing that the warehouse does not filter."""
    rules = {"tickhouse.tick": "symbol = 'EURUSD'"}
    eve = identity.new_user("eve", "compliance", "long enough", rules)
    identity.save(identity.path_in(desk.home), {"eve": eve})
    desk.key(user="eve")
    desk.items.put("quote|sim/XAUUSD", QUOTE)
    for method, path in operations(desk):
        if method == "get" and "controls" not in path:
            address = f"{path}?topics=quotes" if path.endswith("stream") else path
            answer = desk.get(f"{address}?source=s&symbol=X" if "now" not in path else address)
            assert answer.status_code != 200, path


def test_2_authentication_no_operation_without_a_key(desk: ApiDesk) -> None:
    for (method, path), operation in operations(desk).items():
        if operation["security"] == []:
            assert path == "/v1/sign-in"
            continue
        for text in ("", "th_00000000_" + 43 * "a", desk.text[:-1], desk.text + "a", "null"):
            answer = desk.client.request(method, path, headers=desk.headers(text))
            assert (answer.status_code, problem_of(answer)[:3]) == (401, "key"), (path, text)
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert desk.client.get(f"/v1/now/quotes?key={desk.text}").status_code == 401  # logs keep URLs


def test_3_properties_what_is_not_named_is_refused(desk: ApiDesk) -> None:
    """Nobody writes a field that is not theirs, and nothing is given that is no field."""
    for more in ({"by": "bob"}, {"state": "active"}, {"user": "bob"}):
        assert problem_of(desk.post("/v1/halt", {"reason": "a"} | more)) == "body"
        assert problem_of(desk.post("/v1/resume", {"reason": "a"} | more)) == "body"
    desk.items.put("quote|sim/EURUSD", QUOTE | {"secret": 1})
    assert "secret" not in desk.get("/v1/now/quotes").text


def test_4_resources_are_bounded_for_each_key(desk: ApiDesk) -> None:
    """Requests in a minute and rows of a page; readers of events in test_stream.py."""
    patient = desk.key("market", per_minute=2)
    codes = [desk.get("/v1/now/quotes").status_code for _ in range(5)]
    assert codes == [200, 200, 429, 429, 429]
    assert problem_of(desk.get("/v1/ticks", patient)) == "rate"
    desk.key()
    assert problem_of(desk.get("/v1/ticks?source=s&symbol=E&limit=100001")) == "parameter"


@pytest.mark.parametrize("role", ["admin", "compliance", "grafana"])
def test_5_function_level_each_operation_needs_its_scope(desk: ApiDesk, role: Any) -> None:
    """Neither a key's scopes nor a person's role alone are enough."""
    user = identity.new_user("ann", role, "long enough")
    identity.save(identity.path_in(desk.home), {"ann": user})
    for (method, path), operation in operations(desk).items():
        if path == "/v1/stream" or "x-scope" not in operation:
            continue  # each topic has its own; signing in and out need none
        scope = operation["x-scope"]
        desk.key(*(one for one in SCOPES if one != scope))
        answer = ask(desk, method, path)
        assert (answer.status_code, problem_of(answer)) == (403, "scope"), (method, path)
        desk.key(scope)
        is_refused = ask(desk, method, path).status_code == 403
        assert is_refused is (scope not in OF_ROLE[role]), (method, path)


def ask(desk: ApiDesk, method: str, path: str) -> Any:
    """An operation, with something that is refused only to who may use it."""
    name = path.rpartition("/")[2]
    if method == "post":
        return desk.post(path, {})
    if "now" in path or name not in RESOURCES:
        more = {"lineage": "?order=o1", "explain": "/-a"}
        return desk.get(path.removesuffix("/a") + more.get(path.split("/")[2], ""))
    feed = "source=s&symbol=EURUSD&" if "source" in RESOURCES[name].filters else ""
    return desk.get(f"{path}?{feed}limit=1001")


def test_6_business_flows_nothing_that_adds_risk_happens_by_a_key(desk: ApiDesk) -> None:
    """A key with every scope halts; it resumes, allows and signs nothing by itself."""
    desk.post("/v1/halt", {"reason": "stop"})
    assert desk.post("/v1/resume", {"reason": "go"}).status_code == 200
    held = trading_control.current(desk.home)
    assert held is not None
    assert held.state == "halted"
    posts = [path for method, path in operations(desk) if method == "post"]
    assert sorted(posts) == [
        "/v1/controls",
        "/v1/halt",
        "/v1/resume",
        "/v1/sign-in",
        "/v1/sign-out",
    ]


def test_7_addresses_none_is_taken_from_anybody(desk: ApiDesk) -> None:
    """No parameter is an address, a file or SQL; what could be one is refused."""
    for (_, path), operation in operations(desk).items():
        for parameter in operation.get("parameters", ()):
            assert parameter["name"] not in ("url", "uri", "callback", "file", "path"), path
    for value in ("http://169.254.169.254/", "../../etc/passwd", "a' OR 1=1 --", "a%00", "file://"):
        answer = desk.get(f"/v1/ticks?source={value}&symbol=EURUSD")
        assert answer.status_code in (422, 503), value  # a name of nothing at most
    answer = desk.get("/v1/explain/--bundle=%2Ftmp%2Fx")
    assert answer.status_code in (404, 422)


def test_8_configuration_no_other_site_and_no_page_may_ask(desk: ApiDesk) -> None:
    foreign = desk.get("/v1/now/quotes", origin="https://evil.example")
    assert (foreign.status_code, problem_of(foreign)) == (403, "foreign")
    assert "access-control-allow-origin" not in foreign.headers
    rebound = desk.get("/v1/now/quotes", host="evil.example")
    assert (rebound.status_code, problem_of(rebound)) == (403, "foreign")
    for path in ("/docs", "/v1/openapi.json", "/v1/now/quotes", "/v1/nothing"):
        headers = desk.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "private, no-cache"
    assert desk.client.request("TRACE", "/v1/halt", headers=desk.headers()).status_code == 405


def test_9_inventory_what_answers_is_what_is_documented(desk: ApiDesk) -> None:
    known = {path for _, path in operations(desk)}
    for path in ("/v1", "/v2/ticks", "/admin", "/metrics", "/openapi.json", "/redoc"):
        assert desk.get(path).status_code in (404, 405), path
    assert all(path.startswith("/v1/") for path in known)
    assert {"/", "/docs", "/v1/openapi.json", "/v1/sign-in"} == door.PUBLIC


def test_10_what_others_say_is_not_believed(desk: ApiDesk) -> None:
    """Text of a broker or an order is data: as JSON, never as markup, and never a header."""
    nasty = '<img src=x onerror=alert(1)>"\r\nX-Evil: 1'
    state = {
        "account": "a",
        "mode": "live",
        "state": "halted",
        "by": nasty,
        "reason": nasty,
        "since": 1,
    }
    desk.items.put("risk|a", state)
    answer = desk.get("/v1/now/trading")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["data"][0]["reason"] == nasty
    assert "x-evil" not in answer.headers


def _b64(value: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256"])
def test_a_token_is_no_key_whatever_it_claims(desk: ApiDesk, algorithm: str) -> None:
    claims = {"sub": "ann", "aud": "tickhouse", "exp": 4_000_000_000, "scope": " ".join(SCOPES)}
    token = f"{_b64({'alg': algorithm, 'typ': 'JWT'})}.{_b64(claims)}."
    answer = desk.get("/v1/now/quotes", token)
    assert (answer.status_code, problem_of(answer)) == (401, "token-unknown")


def test_bombs_are_refused_before_they_are_read(desk: ApiDesk) -> None:
    huge = desk.post("/v1/halt", b"[" * (door.LARGEST_BODY + 1))
    assert (huge.status_code, problem_of(huge)) == (413, "too-large")

    def endless() -> Iterator[bytes]:
        for _ in range(1_000):
            yield b" " * 65_536

    kind = desk.headers() | {"content-type": "application/json"}
    unsaid = desk.client.post("/v1/halt", content=endless(), headers=kind)
    assert (unsaid.status_code, problem_of(unsaid)) == (413, "too-large")
    deep = desk.post("/v1/halt", b'{"reason":' + 50_000 * b"[" + 50_000 * b"]" + b"}")
    assert (deep.status_code, problem_of(deep)) == (422, "body")
    many = desk.get("/v1/ticks?" + "&".join(f"source={n}" for n in range(2_000)))
    assert (many.status_code, problem_of(many)) == (422, "parameter")
    packed = desk.post("/v1/halt", b"\x1f\x8b" + bytes(20), content_encoding="gzip")
    assert problem_of(packed) == "body"  # nothing is unpacked
    assert trading_control.current(desk.home) is None


def test_a_thousand_keys_are_told_apart(tmp_path: Path) -> None:
    known = [keys.new_key(tmp_path, f"k{n}", "ann", ["market"], 1, 1, 1) for n in range(1_000)]
    keys.save(tmp_path, {key.key_id: key for key, _ in known})
    ring = keys.KeyRing(tmp_path)
    assert [ring.key(text) for _, text in known] == [key for key, _ in known]


def test_secrets_are_compared_in_constant_time_also_of_keys_that_are_none(
    desk: ApiDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = list[tuple[str, str]]()

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for text in (desk.text, "th_00000000_" + 43 * "a", "x", "th_" + 100_000 * "a"):
        desk.get("/v1/now/quotes", text)
    assert [len(one) == len(other) == 64 for one, other in compared] == [True] * 4
    assert [one == other for one, other in compared] == [True, False, False, False]


def test_nothing_of_a_key_is_logged(
    desk: ApiDesk, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.get("/v1/now/quotes", desk.text[:-1] + "!")
    for method, path in operations(desk):
        if path != "/v1/stream" and "now" not in path:
            ask(desk, method, path)
    keys.path_in(desk.home).write_bytes(b"{")
    assert desk.get("/v1/now/quotes").status_code == 503
    secret = desk.text.split("_", 2)[2]
    written = caplog.text + "".join(capfd.readouterr())
    assert "keys.json" in written  # what is wrong is said there, and not to who asks
    assert secret[:-1] not in written
    kept = [path for path in desk.home.rglob("*") if path.is_file()]
    assert not [path for path in kept if secret.encode() in path.read_bytes()]
