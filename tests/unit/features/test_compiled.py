import os
import subprocess
import sys
from pathlib import Path

import features

_CALL = """
import sys
from features.compiled import compile_apart
compile_apart()
print("features.kernel" in sys.modules)
"""
_CACHE = Path(features.__path__[0]) / "__pycache__"


def test_what_no_cache_has_is_compiled_in_another_process_and_once() -> None:
    for path in _CACHE.glob("compiled-*"):
        path.unlink()
    environ = {**os.environ}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)

    def call() -> list[tuple[str, int]]:
        line = [sys.executable, "-c", _CALL]
        done = subprocess.run(line, env=environ, check=True, capture_output=True, text=True)
        assert done.stdout == "False\n"
        return [(path.name, path.stat().st_mtime_ns) for path in _CACHE.glob("compiled-*")]

    first = call()
    assert len(first) == 1
    assert {path.name.partition(".")[0] for path in _CACHE.glob("*.nbi")} >= {"kernel", "peers"}
    assert call() == first
