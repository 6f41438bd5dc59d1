"""One question to a time server (SNTP, RFC 4330): enough to hold a clock to it, none to set one.

Written out because it is one datagram each way, and no maintained library is among our locks.
"""

import socket
import struct
import time
from collections.abc import Callable

from adapters.clocks.reading import ClockReading

_PACKET = struct.Struct("!BBbb11I")
_TO_UNIX = 2_208_988_800  # seconds from 1900 to 1970
_CLIENT, _SERVER, _UNSYNCHRONISED = 0x23, 4, 3  # version 4, mode 3; mode 4; leap 3


def read(
    server: str, timeout_s: float = 2.0, now: Callable[[], float] = time.time
) -> ClockReading | None:
    """Ask `host` or `host:port`; None when it does not answer, or with nonsense."""
    host, _, port = server.partition(":")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.settimeout(timeout_s)
            line.connect((host, int(port or 123)))
            sent = now()
            line.send(_PACKET.pack(_CLIENT, *([0] * 12), *_stamp(sent)))
            answer, received = line.recv(1024), now()
    except (OSError, ValueError):
        return None
    return reading(server, answer, sent, received)


def reading(server: str, answer: bytes, sent: float, received: float) -> ClockReading | None:
    """What an answer says; None when it is none to what we sent."""
    if len(answer) < _PACKET.size:
        return None
    head, stratum, _, _, delay, dispersion, _, *stamps = _PACKET.unpack(answer[: _PACKET.size])
    if head & 7 != _SERVER or not 0 < stratum < 16 or tuple(stamps[2:4]) != _stamp(sent):
        return None
    came, left = _unix(*stamps[4:6]), _unix(*stamps[6:8])
    theirs_ahead = ((came - sent) + (left - received)) / 2
    round_trip = (received - sent) - (left - came)
    root = (delay / 2 + dispersion) / 65_536  # of the server to its own reference
    synchronised = head >> 6 != _UNSYNCHRONISED
    return ClockReading(
        source=server,
        method="ntp",
        stratum=stratum,
        offset_us=-theirs_ahead * 1e6 + 0.0,
        uncertainty_us=(max(round_trip, 0.0) / 2 + root) * 1e6,
        traceable=True,
        synchronised=synchronised,
        detail=f"round trip {round_trip * 1e6:.0f} us",
    )


def _stamp(unix_s: float) -> tuple[int, int]:
    seconds = int(unix_s)
    return seconds + _TO_UNIX & 0xFFFFFFFF, int((unix_s - seconds) * 4_294_967_296)


def _unix(seconds: int, fraction: int) -> float:
    return seconds - _TO_UNIX + fraction / 4_294_967_296
