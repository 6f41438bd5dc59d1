"""What the last bit of a computed number depends on, besides its inputs.

Compiled kernels and ONNX Runtime choose instructions by the processor. On the same fingerprint a
decision is recomputed bit for bit; elsewhere the difference is printed and nothing is claimed.
"""

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

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
