"""chDB's library, without what only its own data frames need.

pyarrow, which chdb takes when it is there, and numpy with it are a third of the start of a
warehouse and 40 MB; we read and write the engine's own formats.
"""

import sys
from typing import Any


def load() -> Any:
    """The bare connections: chdb's own wrapper adds notebook progress bars and nothing we need."""
    absent = "pyarrow" not in sys.modules
    if absent:
        sys.modules["pyarrow"] = None  # type: ignore[assignment]  # makes `import pyarrow` fail
    try:
        import chdb

        return chdb._chdb
    finally:
        if absent:
            del sys.modules["pyarrow"]
