"""The table of Keras's names is that of the installed Keras."""

import keras_names

from backends_matrix.lint.rules.imports import RENAMED, missing_part


def test_the_table_is_up_to_date():
    assert keras_names.NAMES.read_text() == keras_names.rendered()


def test_what_is_called_renamed_is_missing():
    assert [name for name in RENAMED if missing_part(name) == ""] == []


def test_a_name_that_keras_has_is_not_missing():
    for name in (
        "keras.layers.Dense",
        "keras.ops.image.resize",
        "keras.Model",
        "keras.layers.Dense.build",
    ):
        assert missing_part(name) == ""
    assert missing_part("keras.layers.CuDNNLSTM.call") == "keras.layers.CuDNNLSTM"
