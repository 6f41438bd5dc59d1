"""How far the mid is from its mean of five minutes, in deviations of them."""

from tickhouse import DefinedFeature

FEATURE = DefinedFeature(
    name="drift_5m",  # the file's name
    unit="standard deviations",
    definition="mid minus its mean over 300 s, over its deviation; 0 where it did not move",
    value="(mid - mean(mid, 300)) / deviation(mid, 300) if deviation(mid, 300) > 0 else 0",
)
