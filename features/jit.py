"""The door to numba, which leaves at home what no feature needs.

numba loads SciPy's linear algebra to learn that it is there, and coverage and cffi where they are
installed: a seventh of what explaining a decision took. An own feature that multiplies matrices
gets the linear algebra as it is compiled.
"""

from importlib.util import find_spec

from core.absent import absent

with absent("scipy.linalg", "coverage", "cffi"):
    from numba.core.typing import cffi_utils  # noqa: F401
    from numba.np import arraymath

from numba import from_dtype, njit, types

__all__ = ["from_dtype", "njit", "types"]

arraymath._HAVE_BLAS = find_spec("scipy") is not None
