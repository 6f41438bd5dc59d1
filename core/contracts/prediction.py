"""What the model says of a symbol at this moment, for people who look at it.

Not for decisions: a signal carries its own. It may be thinned and may be lost; the table
`prediction` has every one.
"""

import msgspec


class Prediction(msgspec.Struct, frozen=True, array_like=True, tag="Prediction/1"):
    """The newest prediction of a feed. Times are microseconds since the Unix epoch, UTC."""

    run_id: str
    mode: str
    account: str
    source: str
    symbol: str
    ts_event_us: int  # market time of the tick that it is about
    seq: int  # of that tick within its millisecond
    ts_init_us: int  # when this record was made
    model: str  # SHA-256 of the artefact
    p_down: float
    p_flat: float
    p_up: float
    confidence: float  # the larger of down and up
    agreement: float  # of the model's members, 0 to 1
    veto: bool  # the row lies outside what the model was trained on, or no member could speak
    edge_bp: float  # expected move of the mid over the model's horizon, basis points
