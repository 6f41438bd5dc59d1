"""The kernel's features as a straight loop in C: the floor that bench_kernel measures against.

Built when it is asked for, into a temporary directory; without a compiler there is no floor, and
whoever asks says why. It works on the kernel's own state, so state and rows can be compared.
"""

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.contracts.tick import TickArray
from features.catalog import KERNEL_COLUMNS, NAMES
from features.state import STATE, StateArray

_SOURCE = Path(__file__).with_suffix(".c")
#: As the kernel is compiled: for this processor, and no contraction, which would change bits.
_FLAGS = ("-O3", "-march=native", "-ffp-contract=off", "-fPIC", "-shared", "-std=gnu11")

Update = Callable[[StateArray, TickArray, int, npt.NDArray[np.float32], npt.NDArray[np.int64]], int]


class NoFloorError(Exception):
    """There is no compiler, or it does not build the loop."""


def built(directory: Path) -> Update:
    """The loop, called as features.kernel.update is; ticks and state must be contiguous.

    Raises:
        NoFloorError: it cannot be built here, or the state is laid out otherwise by now.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise NoFloorError("no C compiler (cc, gcc, clang) is installed")
    library = directory / "kernel_floor.so"
    command = [compiler, *_FLAGS, str(_SOURCE), "-o", str(library), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoFloorError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
    floor = ctypes.CDLL(str(library))
    floor.state_bytes.restype = floor.update.restype = ctypes.c_int64
    if floor.state_bytes() != STATE.itemsize or (len(NAMES), KERNEL_COLUMNS) != (50, 46):
        raise NoFloorError(f"{_SOURCE.name} is of another kernel: bring it up to features/")

    def update(
        state: StateArray,
        ticks: TickArray,
        sample_ms: int,
        out: npt.NDArray[np.float32],
        index: npt.NDArray[np.int64],
    ) -> int:
        places = (array.ctypes.data_as(ctypes.c_void_p) for array in (state, ticks, out, index))
        at_state, at_ticks, at_out, at_index = places
        count, every = ctypes.c_int64(len(ticks)), ctypes.c_int64(sample_ms)
        return int(floor.update(at_state, at_ticks, count, every, at_out, at_index))

    return update
