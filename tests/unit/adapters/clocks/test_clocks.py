"""What each reference says of our clock: signs, sums, and answers that are none."""

import socket
import struct
import sys
import threading
import time

import pytest

from adapters.clocks import chrony, kernel, ntp
from adapters.clocks.reading import granularity_us

CHRONY = (
    "C0A80101,time.example,2,1800000000.5,0.000250000,-0.00001,0.00002,1.5,0.001,0.02,"
    "0.004,0.0005,64.2,Normal\n"
)
PACKET = struct.Struct("!BBbb11I")


def test_chrony_tells_offset_root_distance_and_leap() -> None:
    result = chrony.reading(CHRONY)
    assert result is not None
    assert (result.source, result.stratum, result.synchronised) == ("time.example", 2, True)
    assert result.offset_us == pytest.approx(-250)  # positive: the system clock is slow
    assert result.uncertainty_us == pytest.approx(2_500)
    lost = chrony.reading(CHRONY.replace("Normal", "Not synchronised"))
    assert lost is not None
    assert not lost.synchronised
    assert chrony.reading("506 Cannot talk to daemon\n") is None


def test_the_kernel_tells_what_it_vouches_for() -> None:
    reported = kernel.reading(250_000, 1_500, 0x2001)
    assert (reported.offset_us, reported.uncertainty_us, reported.synchronised) == (
        -250,
        1_500,
        True,
    )
    micro = kernel.reading(250, 16_000_000, 0x0040)
    assert (micro.offset_us, micro.synchronised) == (-250, False)
    assert "nobody disciplines" in micro.detail


@pytest.mark.skipif(sys.platform != "linux", reason="adjtimex is Linux's")
def test_the_real_kernel_answers() -> None:
    reported = kernel.read()
    assert reported is not None
    assert reported.uncertainty_us >= 0


class Server:
    """A time server whose clock is `ahead_s` ahead of ours and which answers once."""

    def __init__(self, ahead_s: float, mode: int = 4, stratum: int = 2) -> None:
        self._ahead_s, self._head, self._stratum = ahead_s, 0x20 | mode, stratum
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._line.getsockname()[1]}"
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        requested, who = self._line.recvfrom(100)
        sent = PACKET.unpack(requested)[-2:]
        stamp = ntp._stamp(time.time() + self._ahead_s)
        body = PACKET.pack(
            self._head, self._stratum, 0, -20, 65_536 // 100, 65_536 // 1000, 1, 0, 0, *sent,
            *stamp, *stamp,
        )  # fmt: skip
        self._line.sendto(body, who)

    def close(self) -> None:
        self._thread.join()
        self._line.close()


def test_a_time_server_ahead_of_us_makes_our_clock_late() -> None:
    server = Server(ahead_s=0.25)
    result = ntp.read(server.address)
    server.close()
    assert result is not None
    assert result.offset_us == pytest.approx(-250_000, abs=result.uncertainty_us)
    assert result.uncertainty_us >= 5_900  # root delay 10 ms halved, dispersion 1 ms, its rounding
    assert (result.stratum, result.synchronised, result.method) == (2, True, "ntp")


@pytest.mark.parametrize(("mode", "stratum"), [(3, 2), (4, 0), (4, 16)])
def test_an_answer_of_another_kind_is_none(mode: int, stratum: int) -> None:
    server = Server(0.0, mode, stratum)
    assert ntp.read(server.address) is None
    server.close()


def test_who_does_not_answer_is_left_out() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        assert ntp.read(f"127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.05) is None
    assert ntp.read("127.0.0.1:none") is None


def test_stamps_are_whole_microseconds() -> None:
    assert 1.0 <= granularity_us() < 1_000_000
