"""Histogram buckets and their sums."""

from core.metrics import Histograms, bucket_of, bucket_upper_ns


def test_every_duration_lies_in_its_bucket_within_three_percent():
    for value in [*range(2000), 10**6, 123_456_789, 10**12]:
        bucket = bucket_of(value)
        assert bucket_upper_ns(bucket) >= value
        assert bucket == 0 or bucket_upper_ns(bucket - 1) < value
        assert bucket_upper_ns(bucket) <= value * 1.04 + 1


def test_take_returns_what_was_recorded_since_the_last_take():
    histograms = Histograms()
    histograms.record("risk", 100, count=3)
    histograms.record("risk", 5000)
    counts, maxima = histograms.take()
    assert sum(counts["risk"].values()) == 4
    assert maxima == {"risk": 5000}
    assert histograms.take() == ({}, {})
