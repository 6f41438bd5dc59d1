import os
import signal

import pytest

from cli.interrupts import Interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_way_to_stop_is_the_same_interrupt(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Interrupts(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before


def test_a_lost_interrupt_can_be_repeated_and_a_drain_is_not_disturbed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Interrupts() as interrupts:
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
        interrupts.stopping = True
        os.kill(os.getpid(), signal.SIGINT)
    assert "Already stopping" in capsys.readouterr().err
