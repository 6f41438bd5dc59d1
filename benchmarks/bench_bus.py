"""The bus alone: one hop, an awaited publish, and throughput, between two processes.

    python -m benchmarks.bench_bus [--messages N] [--megabytes N] [--bus nats] [--bus kafka]

Starts a server of each kind in turn on free ports in a temporary directory (Kafka needs Java and
Maven, and has `linger.ms=0`). One way is the time from
before `send` in one process to `next` returning in another, on the machine's monotonic clock.
"""

import argparse
import multiprocessing
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from adapters.bus.select import connect
from benchmarks.machine import describe
from core import topics
from core.sections import BusSettings
from core.topics import Topic
from tests.support.buses import running

PAUSE_S = 0.001
SYNCED_PAUSE_S = 0.005  # far from what fsync can do, else the queue is measured
BATCH_BYTES = 500_000
_WARM = 3000


def read(settings: BusSettings, topic: Topic, count: int, answer: Connection) -> None:
    """In the other process: take `count` messages; answer with stamps of sending and taking."""
    bus = connect(settings, "bench-reader")
    subscriber = bus.subscribe(topic, 0)
    subscriber.next(0.0)  # Kafka: takes its place now
    answer.send("ready")
    stamps = np.zeros((count + 1, 2), dtype=np.int64)
    for i in range(count + 1):
        message = subscriber.next(60.0)
        if message is None:
            break
        stamps[i] = int.from_bytes(message.payload[:8], "little"), time.perf_counter_ns()
    answer.send(stamps[1:])  # the first only showed that the writer is connected
    bus.close()


def between_processes(
    settings: BusSettings, topic: Topic, count: int, size: int, pause_s: float
) -> np.ndarray:
    """Send `count` messages of `size` bytes; return sent and taken nanoseconds, (count, 2)."""
    ours, theirs = multiprocessing.Pipe()
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=read, args=(settings, topic, count, theirs))
    process.start()
    ours.recv()
    bus = connect(settings, "bench-writer")
    filler = bytes(size - 8)
    bus.publish(topic, "bench.BENCH", bytes(8))
    for _ in range(count):
        bus.send(topic, "bench.BENCH", time.perf_counter_ns().to_bytes(8, "little") + filler)
        if pause_s:
            time.sleep(pause_s)
    bus.flush()
    stamps: np.ndarray = ours.recv()
    process.join()
    bus.close()
    return stamps


def acknowledged(settings: BusSettings, topic: Topic, count: int) -> np.ndarray:
    """Nanoseconds of `count` awaited publishes of 200 bytes."""
    bus = connect(settings, "bench-writer")
    bus.publish(topic, "bench.BENCH", b"warm")
    taken = np.zeros(count, dtype=np.int64)
    for i in range(count):
        start = time.perf_counter_ns()
        bus.publish(topic, "bench.BENCH", bytes(200))
        taken[i] = time.perf_counter_ns() - start
        time.sleep(PAUSE_S)
    bus.close()
    return taken


def stalls(count: int) -> np.ndarray:
    """Nanoseconds by which a sleep of 1 ms is late: what the machine does to everyone."""
    late = np.zeros(count, dtype=np.int64)
    for i in range(count):
        start = time.perf_counter_ns()
        time.sleep(PAUSE_S)
        late[i] = time.perf_counter_ns() - start - int(PAUSE_S * 1e9)
    return late


def measure(kind: str, settings: BusSettings, messages: int, megabytes: int) -> Table:
    """Run everything; return the table."""
    table = Table("measured", "p50 µs", "p99 µs", "MB/s", title=f"bus: {kind}")

    def latency(name: str, taken_ns: np.ndarray) -> None:
        p50, p99 = np.percentile(taken_ns[len(taken_ns) // 10 :], [50, 99]) / 1000
        table.add_row(name, f"{p50:,.0f}", f"{p99:,.0f}", "")

    latency("machine: sleep of 1 ms late by", stalls(messages))
    for topic in (topics.TICKS, topics.SIGNALS):
        kind = "synced" if topic.synced else "unsynced"
        pause_s = SYNCED_PAUSE_S if topic.synced else PAUSE_S
        between_processes(settings, topic, _WARM, 200, 0.0)  # a broker's Java compiles as it runs
        stamps = between_processes(settings, topic, messages, 200, pause_s)
        latency(f"{kind}: send to next, 200 bytes", stamps[:, 1] - stamps[:, 0])
        latency(f"{kind}: publish to acknowledgement", acknowledged(settings, topic, messages))
    count = megabytes * 1_000_000 // BATCH_BYTES
    stamps = between_processes(settings, topics.TICKS, count, BATCH_BYTES, 0.0)
    rate = count * BATCH_BYTES / (stamps[-1, 1] - stamps[0, 0]) * 1000
    table.add_row("unsynced: 0.5 MB messages, writer to reader", "", "", f"{rate:,.0f}")
    start = time.perf_counter()
    caught_up = catch_up(settings)
    table.add_row(
        "reading what is stored", "", "", f"{caught_up / (time.perf_counter() - start) / 1e6:,.0f}"
    )
    return table


def catch_up(settings: BusSettings) -> int:
    """Read all of the ticks topic; return its bytes."""
    bus = connect(settings, "bench-reader")
    newest = bus.last(topics.TICKS)
    assert newest is not None
    subscriber, total, sequence = bus.subscribe(topics.TICKS), 0, 0
    while sequence < newest.sequence:
        message = subscriber.next(10.0)
        assert message is not None
        total, sequence = total + len(message.payload), message.sequence
    bus.close()
    return total


def main() -> None:
    """Start each server, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=3000, help="per latency row")
    parser.add_argument("--megabytes", type=int, default=500, help="for throughput")
    parser.add_argument("--bus", action="append", choices=("nats", "kafka"), help="default: nats")
    options = parser.parse_args()
    console = Console()
    console.print(describe())
    for kind in options.bus or ["nats"]:
        with tempfile.TemporaryDirectory() as directory, running(kind, Path(directory)) as server:
            console.print(measure(kind, server.settings, options.messages, options.megabytes))
    console.print(describe())


if __name__ == "__main__":
    main()
