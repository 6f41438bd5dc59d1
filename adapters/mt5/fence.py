"""Whose orders an account takes: those of the newest claim, and of nobody before it.

An execution that has the lease of its account (`execution.lease`) claims the terminal with the
lease's number. From then on an order under an older number, or under the same one by another
holder, is refused: whoever lost the lease without noticing can do no harm. What was claimed
outlives the terminal's process.
"""

from pathlib import Path

import msgspec

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.results import OrderSendResult, TradeRequest
from core.credentials import write_private
from core.errors import SettingsError

#: Begins the comment of a refusal; its code is TRADE_RETCODE_TRADE_DISABLED.
FENCED = "Another execution"


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may send orders. Number 0: nobody ever claimed."""

    number: int = 0
    holder: str = ""


class Fence:
    """Stands before one account. One thread at a time.

    Args:
        path: where the newest claim is kept; None forgets it with the process.

    Raises:
        SettingsError: the file cannot be read.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.claim = _read(path) if path and path.exists() else Claim()

    def admits(self, number: int, holder: str) -> bool:
        """Whether this holder may send orders; a higher number than any before is a new claim."""
        if number > self.claim.number:
            claim = Claim(number, holder)
            if self._path:
                write_private(self._path, msgspec.json.encode(claim).decode())
            self.claim = claim
        return self.claim == Claim(number, holder)

    def refusal(self, number: int) -> OrderSendResult:
        """The answer to an order that is not admitted."""
        comment = f"{FENCED} has claim {self.claim.number}, this one {number}"
        code = mt5.TRADE_RETCODE_TRADE_DISABLED
        return OrderSendResult(
            retcode=code, deal=0, order=0, volume=0.0, price=0.0, bid=0.0, ask=0.0,
            comment=comment, request_id=0, retcode_external=0, request=TradeRequest(),
        )  # fmt: skip


def _read(path: Path) -> Claim:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Claim)
    except (OSError, msgspec.DecodeError) as error:
        raise SettingsError(
            f"{path}: {error}; it says which execution may send orders: end all of them, remove"
            " the file, and start one"
        ) from error
