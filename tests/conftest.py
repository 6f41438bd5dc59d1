"""Fixtures that more than one kind of test uses."""

import functools
import gc
import os
import re
import shutil
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from core import identity, instruments
from tests.heavy import ROOT, SUITES
from tests.kafka.broker import Broker
from tests.kafka.jars import REQUIRED, NoKafkaError
from tests.support.buses import BusServer, on_kafka, on_nats
from tests.support.recordings import recordings as generated_recordings
from tests.support.reference_ticks import DATA
from tests.support.servers import NatsServer
from tests.support.shared_folder import shared
from tests.support.tls_server import TlsServer

_MARKS_OF_ALL = re.compile(r"^pytestmark = (?:\[[^\]]*\]|.*)", re.MULTILINE)

# Nothing asserts how long something took: an example that waits for a busy machine is no fault.
settings.register_profile("tickhouse", deadline=None)
settings.load_profile("tickhouse")


@pytest.fixture(scope="module", autouse=True)
def _no_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A process knows the instruments of one home: here of none, whatever the file before did."""
    instruments.use_home(tmp_path_factory.getbasetemp() / "none")


@pytest.fixture(scope="module", autouse=True)
def _quick_hashes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Passwords take no fifth of a second each, but in a module that says `FULL_HASHES = True`.

    A hash names its cost, so that processes check it at the same.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not getattr(request.module, "FULL_HASHES", False):
            patch.setattr(identity, "_N", 16)
        yield


@pytest.fixture(scope="session")
def recordings() -> Path:
    """A folder with `ticks/<SYMBOL>_<source>.parquet` as real ones are; generated once per run."""
    return generated_recordings()


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real recordings, which no clone holds: for tests marked `reference`."""
    if not (DATA / "ticks").is_dir():
        missing = f"no reference data in {DATA} (set TICKHOUSE_TEST_DATA)"
        if os.environ.get("REQUIRE_REFERENCE"):
            pytest.fail(missing)
        pytest.skip(missing)
    return DATA


def pytest_configure(config: pytest.Config) -> None:
    """Workers, and what a suite makes once, have one folder."""
    within = ExitStack()
    within.enter_context(shared())
    config.add_cleanup(within.close)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while everything is imported, nor ever again in what stays to the end.

    And seldom in the rest: tests make many objects and few circles; looking for those as often as
    Python does took one CPU second of twenty-five.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000)
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no file whose tests are all of a heavy suite, where those do not run."""
    if collection_path.suffix != ".py" or "not heavy" not in config.option.markexpr:
        return None
    return _is_heavy(collection_path) or None


def _is_heavy(path: Path) -> bool:
    """Whether its one mark for all tests is of a suite that knows the file."""
    marks = _MARKS_OF_ALL.search(path.read_text("utf-8"))
    return bool(marks and "pytest.mark.heavy" in marks[0]) and any(s.is_in(path) for s in SUITES)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for the real recordings or for Kafka: it can't be forgotten."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "reference_data" in fixtures:
            item.add_marker(pytest.mark.reference)
        if "kafka" in fixtures:
            item.add_marker(pytest.mark.heavy(suite="kafka"))
    missed = [item.nodeid for item in items if not _is_run(item)]
    if missed:
        raise pytest.UsageError(f"no suite of tests/heavy.py looks into the file of {missed}")


def _is_run(item: pytest.Item) -> bool:
    """Whether the suites that a test is marked for import its file."""
    suites = {mark.kwargs["suite"] for mark in item.iter_markers("heavy")}
    if not suites and item.get_closest_marker("reference"):
        suites = {"reference"}
    return all(item.path in _files(name) for name in suites)


@functools.cache
def _files(suite: str) -> frozenset[Path]:
    (known,) = (one for one in SUITES if one.name == suite)
    return frozenset(ROOT / name for name in known.files)


def pytest_sessionfinish() -> None:
    """Write what `make coverage` measured: a worker that is slow to end is killed with it."""
    if "coverage" in sys.modules and (measured := sys.modules["coverage"].Coverage.current()):
        measured.save()


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A running NATS server with an empty store; `url`, `kill()`, `start()`."""
    with NatsServer(tmp_path / "nats") as server:
        yield server


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[TlsServer]:
    """A running NATS server that speaks TLS only and asks for a password."""
    with TlsServer(tmp_path / "nats") as server:
        yield server


@pytest.fixture(scope="session")
def one_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for all tests, each with topics of its own."""
    folder = tmp_path_factory.mktemp("kafka") / "broker"
    try:
        broker = Broker(folder)
    except NoKafkaError as missing:
        if os.environ.get(REQUIRED):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    broker.start()
    yield broker
    broker.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def kafka(one_kafka: Broker) -> Broker:
    """The broker, running, whatever the test before did to it."""
    if not one_kafka.running:
        one_kafka.start()
    return one_kafka


@pytest.fixture(params=["nats", pytest.param("kafka", marks=pytest.mark.heavy(suite="kafka"))])
def bus_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BusServer]:
    """A running bus of each kind, with nothing on it."""
    if request.param == "nats":
        with on_nats(tmp_path) as server:
            yield server
    else:
        yield on_kafka(request.getfixturevalue("kafka"))
