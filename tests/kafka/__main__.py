"""`python -m tests.kafka DIRECTORY [--brokers N]`: brokers to try Tickhouse with, until Ctrl-C.

Made for loopback and one person; docs/how-to/distributed.md says what a real cluster needs.
"""

import argparse
import contextlib
import signal
from pathlib import Path

from tests.kafka.broker import Broker, Ports


def main() -> None:
    """Start, print where they listen, and wait."""
    parser = argparse.ArgumentParser(prog="scripts/kafka", description=__doc__)
    parser.add_argument("directory", type=Path, help="data; made anew if missing")
    parser.add_argument("--brokers", type=int, default=1)
    options = parser.parse_args()
    ports = [Ports() for _ in range(options.brokers)]
    folder = options.directory.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        parser.error(f"{folder} is not empty: these brokers begin anew; remove it")
    brokers = [Broker(folder / str(n), n, ports) for n in range(1, len(ports) + 1)]
    with contextlib.ExitStack() as stack:
        for broker in brokers:
            stack.callback(broker.stop)
            broker.start(wait=False)
        for broker in brokers:
            broker.wait()
        addresses = ",".join(broker.address for broker in brokers)
        print(f"TICKHOUSE_BUS__URL=kafka://{addresses}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
