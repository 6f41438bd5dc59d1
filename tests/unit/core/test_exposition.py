"""What a scrape of `/metrics` says: fixed names, exact counts, nothing of who has ended."""

import gc
import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from core.exposition import METRICS, STAGES, Sample, expose, expose_stages
from core.health import Health
from core.metrics import Histograms

ROOT = Path(__file__).parents[3]


class Counting:
    """A source that counts denials."""

    def __init__(self, count: int) -> None:
        self.count = count
        expose(self)

    def measured(self) -> Iterator[Sample]:
        yield Sample("tickhouse_denials_total", ("a rule",), self.count)


def denials() -> float | None:
    return REGISTRY.get_sample_value("tickhouse_denials_total", {"rule": "a rule"})


def test_sources_add_up_and_are_told_as_long_as_they_live() -> None:
    one, other = Counting(2), Counting(3)
    assert denials() == 5
    one.count += 1
    assert denials() == 6
    del other
    gc.collect()
    assert denials() == 3


def test_stages_are_cumulative_histograms_also_after_a_heartbeat_took_them() -> None:
    measured = Histograms()
    expose_stages(measured)
    measured.record("of a test", 900)  # 0.9 µs
    measured.take()
    measured.record("of a test", 2_000_000, count=3)

    def bucket(bound: str) -> float | None:
        return REGISTRY.get_sample_value(f"{STAGES}_bucket", {"stage": "of a test", "le": bound})

    assert [bucket(b) for b in ("1e-06", "0.001", "0.0025", "10", "+Inf")] == [1, 1, 4, 4, 4]
    total = REGISTRY.get_sample_value(f"{STAGES}_sum", {"stage": "of a test"})
    assert total is not None
    assert 0.006 <= total < 0.0062


def test_a_process_is_scraped_by_the_list_beside_it_until_it_ends(tmp_path: Path) -> None:
    counting = Counting(7)
    targets = tmp_path / "run" / "targets.json"
    one, other = (Health(name, tmp_path / "run") for name in ("one", "other"))
    listed = json.loads(targets.read_bytes())
    assert [(t["targets"], t["labels"]["process"]) for t in listed] == [
        ([f"127.0.0.1:{one.port}"], "one"), ([f"127.0.0.1:{other.port}"], "other"),
    ]  # fmt: skip
    url = f"{listed[0]['labels']['__scheme__']}://{listed[0]['targets'][0]}/metrics"
    with urllib.request.urlopen(url) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    (family,) = [f for f in families if f.name == "tickhouse_denials"]
    assert [(s.labels, s.value) for s in family.samples] == [({"rule": "a rule"}, counting.count)]
    other.close()
    assert [t["labels"]["process"] for t in json.loads(targets.read_bytes())] == ["one"]
    one.close()
    assert json.loads(targets.read_bytes()) == []


def test_every_name_is_documented_and_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    documented = set(re.findall(r"^\| `(tickhouse_\w+)", page, re.MULTILINE))
    elsewhere = {
        name
        for name in documented
        if name.startswith(("tickhouse_bus_", "tickhouse_bot_")) and name not in METRICS
    }
    assert elsewhere == {
        "tickhouse_bus_lag_messages", "tickhouse_bus_expired_messages_total",
        "tickhouse_bus_clock_skew_seconds", "tickhouse_bot_strangers_total",
        "tickhouse_bot_repeated_total",
    }, "of Kafka, and of the bot"  # fmt: skip
    assert documented - elsewhere == {*METRICS, STAGES}
