"""What the last bit of a computed number depends on, besides its inputs.

Compiled kernels and ONNX Runtime choose instructions by the processor. On the same fingerprint a
decision is recomputed bit for bit; elsewhere the difference is printed and nothing is claimed.
"""

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
#: What a decision is computed by.
_DECIDING = ("core", "features", "models", "strategies", "streams")
_PACKAGES = ("numpy", "numba", "llvmlite", "onnxruntime")


def fingerprint() -> dict[str, str]:
    """Of this machine and environment; the same everywhere the same instructions run."""
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "cpu": _cpu(),
        **{name: _version(name) for name in _PACKAGES},
    }


def versions() -> dict[str, str]:
    """Of the product, of its code by content, and of the numeric libraries."""
    return {
        "tickhouse": _version("tickhouse"),
        "code": _source(_DECIDING),
        "kernel": _source(("features",)),
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
    }


@cache
def _source(packages: tuple[str, ...]) -> str:
    """Hash of the Python files of packages: a checkout changes between two versions."""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted((_ROOT / package).rglob("*.py")):
            digest.update(f"{path.relative_to(_ROOT).as_posix()}\0".encode())
            digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]


def _cpu() -> str:
    """The processor's instruction sets where the system tells them, as a short hash."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    model = next((line for line in lines if line.startswith("model name")), "")
    words = " ".join(sorted(flags.partition(":")[2].split()))
    digest = hashlib.sha256(f"{model}|{words}".encode())
    return f"{model.partition(':')[2].strip()} {digest.hexdigest()[:12]}".strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
