"""How a flow is run: in this process alone, or as one of several that share its work.

A shard of a flow (streams.shards) is a flow of its own, with state of its own.

Where processes share the partitions of a Kafka topic instead, Kafka gives each symbol its
partition, and Bytewax gives each partition to one of the processes; there is no assignment of ours.
To change their number, end all of them (SIGTERM; they end together) and start as many as wanted,
with the addresses of all: state and positions move with the partitions. When one is killed, the
others end too, for each needs all: whoever supervises starts them again.

Their state directory is shared: they run on one host, or on a shared volume.
"""

import time
from datetime import timedelta
from pathlib import Path

from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import cluster_main, run_main

from core import durable
from core.errors import SettingsError, UnavailableError
from core.sections import StreamsSettings
from core.settings import Settings
from streams import deal
from streams.shards import names, of_flow

#: More than processes there will be: each keeps its part of the state in files of its own.
_STATE_PARTS = 8
_PATIENCE_S = 30.0


def process_name(streams: StreamsSettings, flow: str) -> str:
    """Of health file, heartbeats and crash points."""
    if streams.addresses:
        return f"streams.{flow}.{streams.process}"
    return names(f"streams.{flow}", of_flow(flow, streams))[streams.shard]


def run(flow: Dataflow, state: Path, config: Settings) -> None:
    """Until the flow ends; an epoch is what is done again after a crash.

    Raises:
        SettingsError: this process is none of those that have an address.
        UnavailableError: the first process never came to make the state directory.
        BusyError: another process uses the same state.
    """
    streams = config.streams
    # The end of an epoch costs the ticks of that moment some milliseconds.
    epoch = timedelta(seconds=5 if config.run.mode == "replay" else 10)
    if not streams.addresses:
        with deal.held(state):
            _create_state(state, 1)
            run_main(flow, epoch_interval=epoch, recovery_config=RecoveryConfig(str(state)))
        return
    if not 0 <= streams.process < len(streams.addresses):
        raise SettingsError(
            f"streams.process is {streams.process}, but streams.addresses names"
            f" {len(streams.addresses)} (TICKHOUSE_STREAMS__PROCESS counts from 0)"
        )
    if streams.process == 0:
        _create_state(state, _STATE_PARTS)
    _wait_for(state)
    cluster_main(
        flow,
        list(streams.addresses),
        streams.process,
        epoch_interval=epoch,
        recovery_config=RecoveryConfig(str(state)),
    )


def _create_state(state: Path, parts: int) -> None:
    if state.exists():
        return
    temporary = state.with_name(f"{state.name}.new")
    temporary.mkdir(parents=True, exist_ok=True)
    for left_over in temporary.iterdir():
        left_over.unlink()
    init_db_dir(temporary, parts)
    durable.rename(temporary, state)


def _wait_for(state: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not state.exists():
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"{state} is not there: process 0 of this flow makes it; start that too, with the"
                " same TICKHOUSE_HOME"
            )
        time.sleep(0.1)
