"""What a model was compiled with, where Keras keeps only what became of it."""

from __future__ import annotations

from typing import Any


def jit_compile_is_auto(model: Any) -> bool:
    """Whether ``model.jit_compile`` is what Keras chooses by itself.

    Keras keeps only what ``"auto"`` was resolved to, so an explicit value that is the same cannot be told
    from it (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/trainers/trainer.py).
    """
    return bool(model.run_eagerly or model.jit_compile == model._resolve_auto_jit_compile())


def compilation_of(model: Any) -> Any:
    """An object that is another one after the next ``compile``; Keras keeps it to save the model."""
    return getattr(model, "_compile_config", None)


def has_losses_by_output(model: Any) -> bool:
    """Whether Keras tracks the loss of each output by itself, in metrics of the built compiled loss.

    There is no public way (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/trainers/compile_utils.py).
    """
    return bool(getattr(getattr(model, "_compile_loss", None), "metrics", ()))


def compiled_parts(model: Any) -> list[Any]:
    """The loss, metric and optimizer objects that a compiled model trains with, as one flat list.

    Keras wraps what ``compile`` was given; the wrappers hold the user's functions as ``fn``. There is no
    public way to the metrics before they are built.
    """
    import keras

    given = [model.optimizer, getattr(model, "loss", None)]
    metrics = getattr(model, "_compile_metrics", None)
    if metrics is not None:
        given += [metrics._user_metrics, metrics._user_weighted_metrics]
    given.append([each for each in model.metrics if each is not metrics])
    return [part for part in keras.tree.flatten(given) if part is not None]


def limits_for_debugging() -> str:
    """The setting of Keras that cuts every training short, if there is one; else an empty string."""
    import keras

    for name in ("max_epochs", "max_steps_per_epoch"):
        read = getattr(keras.config, name, None)
        if read is not None and read():
            return f"keras.config.{name} is set"
    return ""


def compile_arguments(model: Any) -> dict[str, Any]:
    """The arguments of ``compile`` as they were given, objects and functions as they are.

    A class with a ``compile`` of its own has what it handed to Keras's.
    """
    return dict(getattr(getattr(model, "_compile_config", None), "config", {}))
