"""An own feature may use linear algebra, although numba was told that there was none."""

import numpy as np
from numba.np import arraymath

from features.jit import njit


def test_compiled_code_multiplies_matrices_and_may_correlate() -> None:
    @njit
    def squared(a):  # type: ignore[no-untyped-def]
        return np.dot(a, a)

    matrix = np.array([[1.0, 2.0], [3.0, 5.0]])
    np.testing.assert_allclose(squared(matrix), matrix @ matrix)
    assert arraymath._HAVE_BLAS  # what np.cov and np.corrcoef ask; compiling those takes seconds
