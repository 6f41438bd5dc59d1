"""The model of the simulated market's planted edge: `python -m models.training.planted --to DIR`.

`tickhouse up` trains it beside a stack that runs, once per version of what it follows from, so
that a newcomer sees predictions and trades. It learns half a day of the generated market, made
here: no warehouse is asked, and the same code gives the same bytes on every home. Its card says
`simulated`, so it can never trade real money.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adapters.simulator.markets import generated
from core import log, settings
from core.contracts.tick import TickArray
from core.quality import FeedState
from core.settings import Settings
from features.kernel import features_of
from features.peers import Market, PeerRows
from features.state import new_state
from models.serving.registry import Registry
from models.training.dataset import Dataset
from models.training.labels import MidSeries
from models.training.planted_cache import settings_of

RUN_ID = "planted-edge"
_DAY, _HOURS = 20_514, 12  # 2026-03-02, a Monday
_NICENESS = 5


def dataset(source: str, symbols: tuple[str, ...], seed: int, sample_ms: int) -> Dataset:
    """Feature rows of the generated market's hours, with every tick to answer them."""
    parts = [_rows(source, symbol, seed, sample_ms) for symbol in sorted(symbols)]
    Market().fill_together([peers for peers, _ in parts])
    ticks = np.concatenate([at for _, at in parts])
    quotes = (MidSeries(p.ticks["time_msc"] * 1000, _mid(p.ticks)) for p, _ in parts)
    return Dataset(
        rows=np.concatenate([peers.rows for peers, _ in parts]),
        time_us=ticks["time_msc"] * 1000,
        mid=_mid(ticks),
        spread=ticks["ask"] - ticks["bid"],
        feed=np.repeat(np.arange(len(parts), dtype=np.int32), [len(at) for _, at in parts]),
        feeds=tuple(f"{source}.{peers.symbol}" for peers, _ in parts),
        simulated=True,
        name=RUN_ID,
        quotes=tuple(quotes),
    )


def train(config: Settings, directory: Path) -> str:
    """Fit it and keep it in a registry's folder; its SHA-256.

    Raises:
        SettingsError: a symbol has no generated market.
        ModelError: ONNX and trainer disagree.
    """
    from models.training.train import fit  # its libraries take seconds to load

    terminal, sample_ms = config.terminal, config.features.sample_ms
    data = dataset(terminal.source, terminal.symbols, terminal.seed, sample_ms)
    model = fit(data, RUN_ID, settings_of(config), simulated=True, sample_ms=sample_ms)
    Registry(directory).save(model)
    return model.card.sha256


def main() -> int:
    """Train, behind everything else that this machine does."""
    parser = argparse.ArgumentParser(prog="python -m models.training.planted", description=__doc__)
    parser.add_argument("--to", type=Path, required=True, help="folder of the model")
    directory = parser.parse_args().to
    if sys.platform != "win32":
        os.nice(_NICENESS)
    log.setup("planted-edge")
    train(settings.load(), directory)
    return 0


class _Part(NamedTuple):
    """One symbol's rows, and the tick that each was made at."""

    peers: PeerRows
    at: TickArray


def _rows(source: str, symbol: str, seed: int, sample_ms: int) -> _Part:
    raw = generated.day_ticks(symbol, _DAY, seed)
    raw = raw[raw["time_msc"] < _DAY * generated.DAY_MSC + _HOURS * 3_600_000]
    columns = (raw[name] for name in ("time_msc", "bid", "ask", "last", "volume_real", "flags"))
    ticks = (
        FeedState(source, symbol)
        .normalise(*columns, now_us=1 << 60, recv_us=raw["time_msc"] * 1000, future_tolerance_us=0)
        .ticks
    )
    rows, index = features_of(new_state(), ticks, sample_ms)
    return _Part(PeerRows(symbol, ticks, ticks["time_msc"][index], rows), ticks[index])


def _mid(ticks: TickArray) -> npt.NDArray[np.float64]:
    mid: npt.NDArray[np.float64] = (ticks["bid"] + ticks["ask"]) / 2.0
    return mid


if __name__ == "__main__":
    raise SystemExit(log.exit_code(main))
