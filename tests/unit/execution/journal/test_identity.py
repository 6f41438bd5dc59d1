from hypothesis import given
from hypothesis import strategies as st

from adapters.mt5.protocol.requests import COMMENT_MAX
from adapters.mt5.venue.recognition import magic_of
from execution.journal.identity import order_id


def test_the_same_signal_purpose_and_leg_give_the_same_order() -> None:
    # Written down once: a change would orphan every order that is out at a broker.
    assert order_id("abc", "entry") == "0249191e60a807595757b354a784c9"
    assert len({order_id("abc", p, leg) for p in ("entry", "opposite") for leg in ("", "7.0")}) == 4


@given(st.text(max_size=40), st.text(max_size=12))
def test_an_id_fits_the_comment_and_its_magic_fits_31_bits(signal_id: str, leg: str) -> None:
    name = order_id(signal_id, "entry", leg)
    assert len(name) <= COMMENT_MAX
    assert int(name, 16) >= 0
    assert 0 < magic_of(name) < 2**31
