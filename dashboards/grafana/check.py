"""`tickhouse boards check`: the whole list against a Grafana that somebody has, and one verdict.

Versions, token, boards pushed twice, data source, every panel's and mark's statement through
Grafana's own API, cancelled queries, every alert rule's state. It changes nothing but our boards,
and goes on after what is bad, so that one run says all of it.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from grafana_client import GrafanaApi, TokenAuth
from grafana_client.client import GrafanaException

from core.errors import TickhouseError
from dashboards.grafana.panel_queries import PanelQuery, body, queries
from dashboards.grafana.push import boards, push
from dashboards.grafana.source import TYPE, UID

#: What the boards were drawn by. Another minor version may do; it is said, and nothing promised.
GRAFANA, PLUGIN = "12.3", "4.14"
_RULES = Path(__file__).parents[1] / "provisioning" / "alerting" / "rules.json"
_SPAN_MS = 24 * 3_600_000
_PATIENCE_S = 30.0  # a busy machine's first answers
_SLOW_S = 2.0  # of a board's statements together: a refresh every 10 s must not meet the last one
_CANCELLED = """
SELECT count() FROM query_log WHERE code = 394 AND ts_event >= now() - INTERVAL 1 HOUR
""".strip()


class Finding(NamedTuple):
    """One line of the list."""

    part: str
    state: Literal["good", "note", "bad"]
    says: str


def check(url: str, token: str) -> Iterator[Finding]:
    """The list, one after the other; nothing more of a Grafana that does not answer, or refuses."""
    client: Any = GrafanaApi.from_url(url, credential=TokenAuth(token), timeout=_PATIENCE_S).client
    health = _health(client)
    yield health
    if health.state == "bad" and not health.says.startswith("version"):
        return
    try:
        push(url, token)
        again = [pushed.title for pushed in push(url, token) if pushed.outcome != "unchanged"]
    except TickhouseError as error:
        yield Finding("push", "bad", str(error))
        return
    yield _verdict("push", again, "twice, and the second changed nothing", "the second changed")
    for part in (_plugin, _source, _boards, _cancelled, _alerts):
        yield from _guarded(part, client)


def verdict(url: str, findings: Sequence[Finding]) -> str:
    """One line to send back."""
    bad = [finding for finding in findings if finding.state == "bad"]
    if not bad:
        versions = "; ".join(
            f"{f.part} {f.says}" for f in findings if f.part in ("grafana", "plugin")
        )
        return f"VERDICT good: {url}, {versions}"
    return f"VERDICT not good: {url}: " + "; ".join(f"{f.part}: {f.says}" for f in bad)


def _guarded(part: Callable[[Any], Iterator[Finding]], client: Any) -> Iterator[Finding]:
    name = part.__name__.strip("_")
    try:
        yield from part(client)
    except GrafanaException as error:
        yield Finding(name, "bad", _said(error))
    except (OSError, ValueError, KeyError) as error:
        yield Finding(name, "bad", f"answers something else than expected: {error!r}")


def _health(client: Any) -> Finding:
    try:
        answer = client.GET("/health")
        version = str(answer["version"])
    except GrafanaException as error:
        return Finding("grafana", "bad", _said(error))
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Finding("grafana", "bad", f"no Grafana answers: {error}")
    if answer.get("database") != "ok":
        return Finding("grafana", "bad", f"its database is {answer.get('database')}")
    return _version("grafana", version, GRAFANA)


def _plugin(client: Any) -> Iterator[Finding]:
    answer = client.GET(f"/plugins/{TYPE}/settings")
    yield _version("plugin", str(answer["info"]["version"]), PLUGIN)


def _version(part: str, version: str, supported: str) -> Finding:
    if version == supported or version.startswith(f"{supported}."):
        return Finding(part, "good", f"version {version}")
    return Finding(part, "bad", f"version {version}: supported is {supported}")


def _source(client: Any) -> Iterator[Finding]:
    answer = client.GET(f"/datasources/uid/{UID}/health")
    good = answer.get("status") == "OK"
    yield Finding("data source", "good" if good else "bad", str(answer.get("message", "")))


def _boards(client: Any) -> Iterator[Finding]:
    now = int(time.time() * 1000)
    ask = partial(_rows, client, (now - _SPAN_MS, now))
    for board in boards():
        title = board["title"].removeprefix("Tickhouse: ")
        begin, failed, empty = time.monotonic(), list[str](), list[str]()
        every = queries(board, lambda sql: ask({"format": 1, "queryType": "table"}, sql))
        for query in every:
            problem, rows = _tried(ask, query)
            failed += [f"{query.title}: {problem}"] if problem else []
            empty += [query.title] if not rows and not problem else []
        yield _verdict(f"board {title}", failed, f"{len(every)} statements answered", "failed")
        if empty:
            yield Finding(f"board {title}", "note", f"no rows in a day: {', '.join(empty)}")
        if (took := time.monotonic() - begin) > _SLOW_S:
            yield Finding(f"board {title}", "note", f"its statements took {took:.1f} s one by one")


def _tried(ask: Callable[..., Sequence[Any]], query: PanelQuery) -> tuple[str, Sequence[Any]]:
    try:
        return "", ask(query.target, query.sql)
    except GrafanaException as error:
        return _said(error), ()


def _cancelled(client: Any) -> Iterator[Finding]:
    now = int(time.time() * 1000)
    table = {"format": 1, "queryType": "table"}
    count = int(_rows(client, (now - _SPAN_MS, now), table, _CANCELLED)[0][0])
    says = f"{count} queries within the hour, as a board does that refreshes too fast"
    yield Finding("cancelled", "bad" if count else "good", says if count else "no query")


def _alerts(client: Any) -> Iterator[Finding]:
    answer = client.GET("/prometheus/grafana/api/v1/rules")
    states = {rule["name"]: rule for group in answer["data"]["groups"] for rule in group["rules"]}
    groups = json.loads(_RULES.read_text())["groups"]
    titles = [str(rule["title"]) for group in groups for rule in group["rules"]]
    if not states.keys() & set(titles):
        says = f"none of the {len(titles)} rules is there: provision dashboards/provisioning"
        yield Finding("alerts", "bad", says)
        return
    bad = [f"{title} is not there" for title in titles if title not in states]
    for title in titles:
        if rule := states.get(title):
            if rule.get("health") not in ("ok", "unknown", "nodata"):
                bad.append(f"{title} cannot be evaluated: {rule.get('lastError', '')}")
            elif rule.get("state") == "firing":
                bad.append(f"{title} fires")
    yield _verdict("alerts", bad, f"{len(titles)} rules, none fires", "")


def _rows(
    client: Any, span_ms: tuple[int, int], target: dict[str, Any], sql: str
) -> list[tuple[Any, ...]]:
    """A statement's rows.

    Raises:
        GrafanaException: Grafana, its plugin or the warehouse refused; it says why.
    """
    answer = client.POST("/ds/query", json=body(target, sql, span_ms))
    result = answer["results"]["A"]
    if result.get("error"):
        raise GrafanaException(int(result.get("status", 500)), answer, str(result["error"]))
    rows = list[tuple[Any, ...]]()
    for frame in result.get("frames", ()):
        rows += zip(*frame["data"]["values"], strict=True)
    return rows


def _verdict(part: str, bad: Sequence[str], good: str, what: str) -> Finding:
    return (
        Finding(part, "bad", f"{what} {'; '.join(bad)}".strip())
        if bad
        else Finding(part, "good", good)
    )


def _said(error: GrafanaException) -> str:
    """What went wrong, on one line; of a query the warehouse's own words."""
    answer = error.response
    if isinstance(answer, dict) and isinstance(answer.get("results"), dict):
        error_of = answer["results"].get("A", {}).get("error")
        return _line(str(error_of or error))
    return _line(str(error))


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()[:300]
