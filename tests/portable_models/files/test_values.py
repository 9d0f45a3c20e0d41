"""Values that are no numbers are noted and kept: a diverged training is no attack."""

import numpy as np
import pytest

from portable_models.files import convert, load

from . import hostile_files as hostile


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_noted_and_kept(sound, workplace, value):
    path = workplace / "odd.keras"

    def change(file):
        file["layers/dense/vars/1"][1] = value

    hostile.with_weights(change)(sound, path)
    with pytest.warns(UserWarning, match="layers/dense/vars/1 holds 1 values of 4 that are NaN"):
        model = load(path)
    np.testing.assert_array_equal(model.layers[0].get_weights()[1], [0, value, 0, 0])
    notes = [change for change in convert(path, "out.keras") if "note: weights" in change.what]
    assert [(note.before, note.after) for note in notes] == [
        ("layers/dense/vars/1 holds 1 values of 4 that are NaN or infinite", "kept")
    ]
