"""The framework's own generator, where Keras draws from it: Dropout without a seed, on torch.

Its state goes into the file, so that training resumes exactly there too (keras 3.15.1,
``keras.src.backend.torch.random.dropout``; it can go when Keras draws from the layer's seed generator).
The generator belongs to the whole process, so loading leaves it alone: it is set when the loaded
model begins to train.
"""

from __future__ import annotations

import base64
from typing import Any

from portable_models._backend import current
from portable_models.files.document import Json
from portable_models.files.errors import FileError, one_line
from portable_models.files.neutral import seeds_in
from portable_models.files.passport import Passport


def read_unseeded(model: Any, config: Json) -> str | None:
    """The state of the framework's generator in base64; None where training does not depend on it."""
    if None not in seeds_in(config):
        return None
    begin = model.make_train_function
    if isinstance(begin, _RestoreFirst):
        return begin.state
    state = current().unseeded_state()
    return None if state is None else base64.b64encode(state).decode("ascii")


def restore_unseeded(model: Any, passport: Passport) -> None:
    """Let the framework's generator go on where it was, once ``model`` begins to train.

    Nothing is done where another backend wrote the file.
    """
    if passport.unseeded_state is not None and passport.backend == current().name:
        model.make_train_function = _RestoreFirst(model, passport.unseeded_state)


class _RestoreFirst:
    """Stands for ``make_train_function``, which Keras calls before the first step, and once."""

    def __init__(self, model: Any, state: str) -> None:
        self.model = model
        self.state = state

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        del self.model.make_train_function
        try:
            current().restore_unseeded_state(base64.b64decode(self.state, validate=True))
        except (ValueError, RuntimeError, TypeError) as error:
            raise FileError(
                f"the state of {current().name}'s own generator, saved with the model, does not fit here "
                f"({one_line(str(error), 120)}); load with compile=False and compile the model again"
            ) from error
        return self.model.make_train_function(*args, **kwargs)
