"""A strategy of pairs as a person writes it: the text of a file in a home's `strategies`."""

APART = '''
"""Of two symbols, against the one whose strength index is higher."""

import numpy as np

from features.catalog import NAMES


class Apart:
    name, horizon_s, needs_model = "apart", 120.0, False

    def __init__(self, settings):
        pass

    def pair_targets(self, rows, age_s):
        strength = rows[:, :, NAMES.index("rsi_14")]
        gap = np.nan_to_num(strength[:, 0] - strength[:, 1])
        gap = gap * (np.abs(gap) > 15) * (age_s < 30).all(axis=1)
        ahead = np.sign(gap)[:, None] * np.array([-1, 1])
        return ahead, np.full(age_s.shape, 0.5), np.where(age_s < 5, 1.0, 0.8)
'''
