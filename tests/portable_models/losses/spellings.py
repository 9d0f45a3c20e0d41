"""Every way to write a loss or metric that the ``compile`` of Keras takes."""

import functools
import inspect
import re

import keras

ALIASES = {
    "BinaryCrossentropy": ["bce", "BCE"],
    "KLDivergence": ["kld", "KLD", "kullback_leibler_divergence"],
    "MeanAbsoluteError": ["mae", "MAE"],
    "MeanAbsolutePercentageError": ["mape", "MAPE"],
    "MeanSquaredError": ["mse", "MSE"],
    "MeanSquaredLogarithmicError": ["msle", "MSLE"],
}
NEEDED = {"CategoricalGeneralizedCrossEntropy": {"q": 0.5}}


def snake_case(name):
    """The name that Keras's functions have."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    irregular = {"kldivergence": "kl_divergence", "log_cosh_error": "log_cosh"}
    return irregular.get(snake, snake)


def of_class(module, name, arguments):
    """Label -> a spelling of Keras's class of this name with these arguments.

    Args:
        module: keras.losses or keras.metrics.
        name: of the class.
        arguments: with any, only the spellings that can hold them are given.
    """
    made = getattr(module, name)
    function = getattr(module, snake_case(name), None) or getattr(
        keras.losses, snake_case(name), None
    )
    found = {"object": made(**arguments), "config": {"class_name": name, "config": dict(arguments)}}
    if not arguments:
        found |= {each: each for each in (name, snake_case(name), *ALIASES.get(name, []))}
        found |= {"class": made, "short config": {"class_name": name}}
        found["serialized object"] = module.serialize(made())
    if inspect.isfunction(function):
        parameters = inspect.signature(function).parameters
        if name in NEEDED:
            # Keras's function has no default for it, and fails without.
            found["partial"] = functools.partial(function, **NEEDED[name])
        elif all(each in parameters for each in arguments):
            found["partial"] = functools.partial(function, **arguments)
        if not arguments and name not in NEEDED:
            found["function"] = function
            found["serialized function"] = module.serialize(function)
    return found
