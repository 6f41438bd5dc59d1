"""What sliding windows tell: differences of running counters. Compiled into the kernel.

A window's reference is the last slot of 100 ms at least as old as the window; the state's mark
says where in the ring its counters stand.
"""

import math
from typing import Any

from features.catalog import KERNEL_COLUMNS
from features.jit import njit

_MASK = 4095  # of the ring
_S1, _S5, _S10, _S15, _S30, _S60, _S300 = range(7)  # the state's marks
_PEERS = KERNEL_COLUMNS  # where the columns of features.peers begin
_BP = 1e4

#: A division by zero gives inf, as in NumPy, instead of costing a check; every divisor is guarded.
_inlined = njit(error_model="numpy")


@_inlined
def _return(s: Any, window: int) -> float:
    mark = s.marks[window]
    return (s.log_mid - s.ring_log_mid[mark & _MASK]) * _BP if mark >= 0 else math.nan


@_inlined
def _volatility(s: Any, window: int) -> float:
    mark = s.marks[window]
    if mark < 0:
        return math.nan
    return math.sqrt((s.squares - s.ring[mark & _MASK, 2]) * 1e-6)


@_inlined
def _imbalance(s: Any, window: int) -> float:
    mark = s.marks[window]
    if mark < 0:
        return math.nan
    then = s.ring[mark & _MASK]
    return float(s.net - then[1]) / float(s.ticks - then[0])


@_inlined
def _rate(s: Any, window: int, seconds: float) -> float:
    mark = s.marks[window]
    return (s.ticks - s.ring[mark & _MASK, 0]) / seconds if mark >= 0 else math.nan


@_inlined
def _spread_z(s: Any, spread_bp: float) -> float:
    mark = s.marks[_S300]
    if mark < 0:
        return math.nan
    then = s.ring[mark & _MASK]
    ticks = float(s.ticks - then[0])
    mean = (s.spreads - then[3]) / ticks
    variance = (s.spread_squares - then[4]) / ticks - mean * mean
    return (spread_bp * 1e3 - mean) / math.sqrt(variance) if variance > 1e-6 else 0.0


@_inlined
def _volatility_ratio(short: float, long: float) -> float:
    if math.isnan(long):
        return math.nan
    return short / long * math.sqrt(5.0) if long > 0.0 else 1.0


@_inlined
def _quote_pressure(s: Any, window: int) -> float:
    mark = s.marks[window]
    if mark < 0:
        return math.nan
    then = s.ring[mark & _MASK]
    moves = s.moves - then[6]
    return float(s.pressure - then[5]) / float(moves) if moves > 0 else 0.0


@_inlined
def _spread_ratio(s: Any, spread_bp: float) -> float:
    mark = s.marks[_S60]
    if mark < 0:
        return math.nan
    then = s.ring[mark & _MASK]
    mean = (s.spreads - then[3]) / float(s.ticks - then[0])
    return spread_bp * 1e3 / mean if mean > 0.0 else 1.0


@_inlined
def _flow_imbalance(s: Any, window: int) -> float:
    mark = s.marks[window]
    if mark < 0 or s.trades == 0:
        return math.nan
    then = s.ring[mark & _MASK]
    volume = s.volume - then[8]
    return float(s.signed_volume - then[7]) / float(volume) if volume > 0 else 0.0


@_inlined
def _trade_rate(s: Any) -> float:
    mark = s.marks[_S60]
    if mark < 0 or s.trades == 0:
        return math.nan
    return float(s.trades - s.ring[mark & _MASK, 9]) / 60.0


@_inlined
def write_windows(s: Any, spread_bp: float, row: Any) -> None:
    """Columns 8 to 23, 34 and 40 to 45; those of peers stay NaN."""
    short, long = _volatility(s, _S60), _volatility(s, _S300)  # roots are dear: once each
    row[8] = _return(s, _S1)
    row[9] = _return(s, _S5)
    row[10] = _return(s, _S15)
    row[11] = _return(s, _S30)
    row[12] = _return(s, _S60)
    row[13] = _return(s, _S300)
    row[14] = short
    row[15] = long
    row[16] = spread_bp
    row[17] = _spread_z(s, spread_bp)
    row[18] = _imbalance(s, _S15)
    row[19] = _imbalance(s, _S60)
    row[20] = _rate(s, _S10, 10.0)
    row[21] = _rate(s, _S60, 60.0)
    row[22] = s.time_sin
    row[23] = s.time_cos
    row[34] = _volatility_ratio(short, long)
    row[40] = _quote_pressure(s, _S15)
    row[41] = _quote_pressure(s, _S60)
    row[42] = _spread_ratio(s, spread_bp)
    row[43] = _flow_imbalance(s, _S15)
    row[44] = _flow_imbalance(s, _S60)
    row[45] = _trade_rate(s)
    row[_PEERS:] = math.nan
