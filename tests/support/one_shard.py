"""The schema as a cluster has it, on the embedded engine: its own cluster `embedded` of one shard.

Distributed tables, their local parts and the views between them are real. What one engine cannot
have is taken out of the statements: ON CLUSTER and Replicated (there is no Keeper).
"""

import re

from adapters.clickhouse.cluster import Cluster
from core.sections import ClickhouseSettings

_ALONE = (
    (re.compile(r" ON CLUSTER `\w+`"), ""),
    (re.compile(r"Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?"), r"\1("),
    (
        re.compile(r"\breplicated_deduplication_window = (\d+), replicated_dedup\w+ = \d+"),
        r"non_replicated_deduplication_window = \1",
    ),
)


class OneShard(Cluster):
    """As the product's, for an engine that is alone."""

    def statements(self, statement: str) -> list[str]:
        """What is left of them."""
        written = super().statements(statement)
        for form, instead in _ALONE:
            written = [form.sub(instead, one) for one in written]
        return written


def of(settings: ClickhouseSettings) -> Cluster:
    """In the place of `cluster_of`."""
    return OneShard("embedded", settings.database)
