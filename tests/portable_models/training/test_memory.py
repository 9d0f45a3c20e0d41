"""Arrays that frameworks can take over as they are."""

import numpy as np
import pytest

from portable_models._backend.memory import ALIGNMENT, aligned, is_aligned


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "float32"])
@pytest.mark.parametrize("shape", [(), (1,), (0, 4), (7, 3), (1000, 32)])
def test_aligned_zeros(shape, dtype):
    for _ in range(5):
        array = aligned(shape, dtype)
        assert array.shape == shape
        assert array.dtype == dtype
        assert array.flags.writeable
        # Where nothing is there is nothing to copy either.
        assert is_aligned(array) or not array.size
        assert array.ctypes.data % ALIGNMENT == 0 or not array.size
        assert not array.any()


def test_what_begins_elsewhere_or_has_gaps_is_not_aligned():
    array = aligned((4, ALIGNMENT), np.int8)
    assert is_aligned(array[1:])
    assert not is_aligned(array[:, 1:])
    assert not is_aligned(array[:, : ALIGNMENT // 2])
    assert not is_aligned(array.reshape(-1)[1:])
