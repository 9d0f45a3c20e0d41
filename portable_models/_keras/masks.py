"""The mask that travels with a tensor."""

from __future__ import annotations

from typing import Any

from keras.src import backend


def copy_mask(source: Any, target: Any) -> Any:
    """Give ``target`` the mask that ``source`` carries, if any; return ``target``.

    Keras keeps a mask as a private attribute of a tensor and offers no public way to move it to another
    tensor (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/backend/common/masking.py).
    """
    mask = backend.get_keras_mask(source)
    if mask is not None:
        backend.set_keras_mask(target, mask)
    return target
