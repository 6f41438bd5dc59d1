"""What models said on a busy day and what was decided: rows as the signals flow makes them."""

import hashlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import asdict

from cli.busy.day import MINUTE, SECOND, SOURCE, SYMBOLS, Day
from core.contracts.signal import OrderSignal, Signal, signal_id
from core.contracts.tick import TickArray
from features.kernel import features_of
from features.state import new_state
from models.serving.predictor import Predictions
from streams.records import Decided, ModelEvent, Predicted, SaidByName, Sampled

CHAMPION, CHALLENGER, RETIRED = (
    hashlib.sha256(f"busy {role}".encode()).hexdigest()
    for role in ("champion", "challenger", "retired")
)
MEMBERS = ("xgboost", "logistic")
SIGNAL_EVERY_S, HELD_S = 600, 300
_EVENTS = (
    (0.30, "missing", "its file cannot be read"),
    (0.70, "silent", "no output for 30 s"),
    (0.98, "in use", "as it should"),
)


class Quoted(NamedTuple):
    """One feed: its ticks, and what became of them."""

    symbol: str
    ticks: TickArray
    decided: Decided


def decide(day: Day, symbol: str, ticks: TickArray) -> Quoted:
    """Features by the real kernel, predictions and signals by the dice."""
    rows, index = features_of(new_state(), ticks, 1_000)
    used = ticks[index]
    sampled = Sampled(
        run_id=day.run.run_id,
        mode=day.run.mode,
        source=SOURCE,
        symbol=symbol,
        received_ns=0,
        time_msc=used["time_msc"].copy(),
        seq=used["seq"].astype(np.uint32),
        mid=(used["bid"] + used["ask"]) / 2,
        spread=used["ask"] - used["bid"],
        features=rows,
    )
    champion = _predictions(day, f"champion {symbol}", len(rows))
    shadow = CHALLENGER, _predictions(day, f"challenger {symbol}", len(rows), champion)
    predicted = Predicted(
        sampled, CHAMPION, champion, shadow=shadow,
        events=_events(day) if _is_first(symbol) else (),
        named=(SaidByName(*shadow, np.zeros(len(rows))),),  # which a strategy in shadow may name
    )  # fmt: skip
    return Quoted(symbol, ticks, Decided(predicted, tuple(_signals(day, sampled, used))))


def _predictions(day: Day, of: str, count: int, near: Predictions | None = None) -> Predictions:
    """Leanings that wander; the challenger's stay near the champion's."""
    dice = day.dice(of)
    steps = dice.normal(0.0, 0.25, (count, 3))
    leaning = 1.2 * np.sin(np.cumsum(steps, axis=0) / 3) + np.array([0.0, 0.6, 0.0])
    if near is not None:
        leaning = np.log(near.probabilities) + 0.3 * leaning
    members = np.stack([_shares(leaning + dice.normal(0.0, 0.2, (count, 3))) for _ in MEMBERS])
    absent = np.zeros(count, np.uint32)
    absent[: count // 20] = 2
    veto = np.arange(count) % 97 == 0
    return Predictions(
        _shares(leaning), (1 - np.abs(members[0] - members[1]).mean(axis=1)).astype(np.float32),
        veto, absent, members, veto.astype(np.uint32),
    )  # fmt: skip


def _shares(leaning: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    raised = np.exp(leaning)
    shares: npt.NDArray[np.float32] = (raised / raised.sum(axis=1, keepdims=True)).astype("<f4")
    return shares


def _signals(day: Day, sampled: Sampled, used: TickArray) -> list[Signal]:
    """One every ten minutes, its side by the dice; the last stays open at the day's end. Of each
    feed one asks for an order that waits.
    """
    dice = day.dice(f"signals {sampled.symbol}")
    begin = day.start_us + (60 + 200 * SYMBOLS.index(sampled.symbol)) * SECOND
    moments = np.arange(begin, day.end_us - 2 * MINUTE, SIGNAL_EVERY_S * SECOND) // 1000
    places = np.unique(np.searchsorted(sampled.time_msc, moments).clip(0, len(sampled.mid) - 1))
    signals = [
        _signal(
            day, sampled, int(place), float(dice.choice((-1, 1))), int(used["ts_recv_us"][place])
        )
        for place in places
    ]
    signals[len(signals) // 2] = _waiting(signals[len(signals) // 2])
    return signals


def _waiting(target: Signal) -> OrderSignal:
    """The same position, asked for at a better price within a minute."""
    values = {**asdict(target), "expires_us": target.ts_init_us + MINUTE}
    price = target.reference_price * (1 - 0.0002 * target.target)
    return OrderSignal(**values, name="dip", entry="limit", entry_price=price)


def _signal(day: Day, sampled: Sampled, place: int, side: float, received_us: int) -> Signal:
    time_msc, seq = int(sampled.time_msc[place]), int(sampled.seq[place])
    now, mid, run = received_us + 1_400, float(sampled.mid[place]), day.run
    return Signal(
        signal_id=signal_id(run.run_id, run.strategy, SOURCE, sampled.symbol, time_msc, seq),
        run_id=run.run_id, mode=run.mode, account=run.account, strategy=run.strategy,
        source=SOURCE, symbol=sampled.symbol, ts_event_us=time_msc * 1000, ts_init_us=now,
        time_msc=time_msc, seq=seq, target=side, reference_price=mid,
        stop_price=mid * (1 - 0.004 * side), horizon_us=time_msc * 1000 + HELD_S * SECOND,
        expires_us=now + 5 * SECOND, confidence=0.55 + 0.3 * (place % 7) / 7, model=CHAMPION,
        prediction_id=f"{run.run_id}.{SOURCE}.{sampled.symbol}.{time_msc}.{seq}",
        take_profit=mid * (1 + 0.008 * side), trail=mid * 0.002, session_id=run.session_id,
    )  # fmt: skip


def _events(day: Day) -> tuple[ModelEvent, ...]:
    return tuple(
        ModelEvent(day.at(share), CHAMPION, MEMBERS[1], kind, detail)
        for share, kind, detail in _EVENTS
    )


def _is_first(symbol: str) -> bool:
    return symbol == SYMBOLS[0]
