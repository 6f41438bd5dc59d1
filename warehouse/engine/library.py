"""chDB's library, without what only its own data frames need.

pyarrow, which chdb takes when it is there, and numpy with it are a third of the start of a
warehouse and 40 MB; we read and write the engine's own formats.
"""

from typing import Any

from core.absent import absent

#: Of its 530 MB a start touches 180, and what follows uses 70 of these.
FILE = "_chdb.abi3.so"


def load() -> Any:
    """The bare connections: chdb's own wrapper adds notebook progress bars and nothing we need."""
    with absent("pyarrow"):
        import chdb

    return chdb._chdb
