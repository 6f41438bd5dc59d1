"""Decimals read in columns have the bits that Python's float() gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from adapters.files.numbers import decimals

PRICES = st.decimals(0, 10**9, allow_nan=False, places=5).map(str)
FLOATS = st.floats(allow_nan=False).map(repr)
TEXTS = st.text("0123456789.+-eE_ nai", max_size=20)


def column(texts: list[str]) -> np.ndarray:
    width = max(map(len, texts), default=0)
    rows = [np.frombuffer(t.encode().ljust(width, b"\0"), np.uint8) for t in texts]
    return np.array(rows, np.uint8).reshape(len(texts), width).T


@given(st.lists(st.one_of(PRICES, FLOATS), max_size=20))
def test_numbers_have_the_bits_of_float(texts):
    values, read = decimals(column(texts))
    assert read.all()
    assert values.tolist() == [float(t) for t in texts]


@given(st.lists(TEXTS, min_size=1, max_size=20))
def test_what_float_refuses_is_no_number(texts):
    values, read = decimals(column(texts))
    for text, value, is_read in zip(texts, values.tolist(), read.tolist(), strict=True):
        if is_read:
            assert repr(value) == repr(float(text))
        else:
            assert "_" in text or text != text.strip() or not _is_float(text)


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_long_numbers_nan_and_infinity_take_the_slow_way():
    texts = ["0.12345678901234567890", "12345678901234567890", "nan", "-inf", ".5", "5.", ".", ""]
    values, read = decimals(column(texts))
    assert read.tolist() == [True, True, True, True, True, True, False, False]
    assert values[[0, 1, 3, 4, 5]].tolist() == [float(texts[i]) for i in (0, 1, 3, 4, 5)]
    assert np.isnan(values[2])
