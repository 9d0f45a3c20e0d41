"""Names of Keras 2 that Keras 3 does not have, and what stands in their place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackendFunction:
    """What replaces a function of ``keras.backend``.

    Args:
        hint: what to write.
        same: name of the function in ``keras.ops`` that takes the same arguments, if there is one.
        missing: the argument that must be written, because the default in ``keras.ops`` is another one.
        safe: whether the function in ``keras.ops`` gives the same numbers.
    """

    hint: str
    same: str = ""
    missing: str = ""
    safe: bool = True


_SAME = [
    "abs",
    "all",
    "any",
    "argmax",
    "argmin",
    "cast",
    "clip",
    "concatenate",
    "cos",
    "equal",
    "exp",
    "expand_dims",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "log",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "not_equal",
    "ones_like",
    "prod",
    "relu",
    "reshape",
    "round",
    "shape",
    "sigmoid",
    "sign",
    "sin",
    "softmax",
    "softplus",
    "softsign",
    "square",
    "squeeze",
    "stack",
    "std",
    "stop_gradient",
    "sum",
    "tanh",
    "tile",
    "transpose",
    "var",
    "zeros_like",
    "one_hot",
    "cumsum",
    "cumprod",
    "elu",
]
_MISSING = {
    **dict.fromkeys(("concatenate", "argmax", "argmin", "expand_dims"), "axis=-1"),
    **dict.fromkeys(("cumsum", "cumprod"), "axis=0"),
}

FUNCTIONS: dict[str, BackendFunction] = {
    name: BackendFunction(
        f"Use keras.ops.{name}" + (f" with {_MISSING[name]}." if name in _MISSING else "."),
        name,
        _MISSING.get(name, ""),
    )
    for name in _SAME
} | {
    "arange": BackendFunction('Use keras.ops.arange with dtype="int32".'),
    "dot": BackendFunction("Use keras.ops.matmul, or keras.ops.tensordot for more than two axes."),
    "eye": BackendFunction("Use keras.ops.eye, or a keras.Variable for what is to be kept."),
    "flatten": BackendFunction("Use keras.ops.ravel.", "ravel"),
    "hard_sigmoid": BackendFunction(
        "Use keras.ops.clip(0.2 * x + 0.5, 0, 1); keras.ops.hard_sigmoid is another function."
    ),
    "identity": BackendFunction("Leave it out."),
    "logsumexp": BackendFunction("Use keras.ops.logsumexp."),
    "ones": BackendFunction("Use keras.ops.ones, or a keras.Variable for what is to be kept."),
    "repeat": BackendFunction(
        "Use keras.layers.RepeatVector; keras.ops.repeat is another function."
    ),
    "sqrt": BackendFunction(
        "Use keras.ops.sqrt, which gives NaN for negative numbers where keras.backend gave 0.",
        "sqrt",
        safe=False,
    ),
    "zeros": BackendFunction("Use keras.ops.zeros, or a keras.Variable for what is to be kept."),
    "pow": BackendFunction("Use keras.ops.power.", "power"),
    "batch_dot": BackendFunction("Use keras.layers.Dot or keras.ops.einsum."),
    "binary_crossentropy": BackendFunction("Use keras.ops.binary_crossentropy."),
    "categorical_crossentropy": BackendFunction("Use keras.ops.categorical_crossentropy."),
    "sparse_categorical_crossentropy": BackendFunction(
        "Use keras.ops.sparse_categorical_crossentropy."
    ),
    "constant": BackendFunction("Use keras.ops.convert_to_tensor."),
    "variable": BackendFunction("Use keras.Variable."),
    "function": BackendFunction("Make a keras.Model of the inputs and outputs."),
    "gradients": BackendFunction(
        "Use the framework's own gradient under a condition on the backend."
    ),
    "get_value": BackendFunction("Use keras.ops.convert_to_numpy."),
    "set_value": BackendFunction("Use variable.assign(value)."),
    "update": BackendFunction("Use variable.assign(value)."),
    "update_add": BackendFunction("Use variable.assign_add(value)."),
    "moving_average_update": BackendFunction("Use variable.assign(...)."),
    "switch": BackendFunction("Use keras.ops.where or keras.ops.cond."),
    "ndim": BackendFunction("Use keras.ops.ndim.", "ndim"),
    "int_shape": BackendFunction("Use x.shape."),
    "eval": BackendFunction("Use keras.ops.convert_to_numpy."),
    "random_normal": BackendFunction("Use keras.random.normal with a SeedGenerator."),
    "random_uniform": BackendFunction("Use keras.random.uniform with a SeedGenerator."),
    "random_binomial": BackendFunction("Use keras.random.binomial with a SeedGenerator."),
    "learning_phase": BackendFunction("Take a training argument in call."),
    "set_learning_phase": BackendFunction("Pass training=True or False to the call."),
    "in_train_phase": BackendFunction("Take a training argument in call."),
    "get_session": BackendFunction("Leave it out; there are no sessions."),
    "set_session": BackendFunction("Leave it out; there are no sessions."),
    "l2_normalize": BackendFunction("Use keras.ops.normalize.", ""),
    "conv2d": BackendFunction("Use keras.ops.conv."),
    "permute_dimensions": BackendFunction("Use keras.ops.transpose.", "transpose"),
    "reverse": BackendFunction("Use keras.ops.flip."),
    "map_fn": BackendFunction("Use keras.ops.map."),
    "rnn": BackendFunction("Use keras.layers.RNN, or keras.ops.scan."),
    "gather": BackendFunction("Use keras.ops.take with axis=0."),
    "placeholder": BackendFunction("Use keras.Input."),
    "resize_images": BackendFunction("Use keras.ops.image.resize."),
    "spatial_2d_padding": BackendFunction("Use keras.ops.pad."),
    "ctc_batch_cost": BackendFunction("Use keras.losses.CTC."),
    "tf": BackendFunction("Import tensorflow itself, under a condition on the backend."),
}
"""Function of ``keras.backend`` in Keras 2 -> what to use."""

GENERATORS = {
    "fit_generator": "Use fit.",
    "evaluate_generator": "Use evaluate.",
    "predict_generator": "Use predict.",
    "predict_classes": "Use predict and keras.ops.argmax or a threshold.",
    "predict_proba": "Use predict.",
}
METHODS = {
    "add_metric": "Update a metric in compute_metrics.",
    "add_update": "Assign to the variable in call.",
    "get_updates": "Write update_step.",
}
OPTIMIZER = {
    "minimize": "Compute gradients with the framework, and call optimizer.apply(gradients, variables).",
    "get_updates": "Call optimizer.apply(gradients, variables).",
    "get_gradients": "Compute gradients with the framework.",
    "_set_hyper": "Set attributes in __init__.",
    "_get_hyper": "Read attributes.",
}
FIT = {
    "workers": "Give workers to the keras.utils.PyDataset.",
    "use_multiprocessing": "Give use_multiprocessing to the keras.utils.PyDataset.",
    "max_queue_size": "Give max_queue_size to the keras.utils.PyDataset.",
    "nb_epoch": "epochs",
    "samples_per_epoch": "Give steps_per_epoch, which counts batches.",
    "nb_val_samples": "Give validation_steps, which counts batches.",
}
"""Argument of fit in Keras 2 -> its new name, or what to do."""

COMPILE = {
    "sample_weight_mode",
    "target_tensors",
    "experimental_run_tf_function",
    "distribute",
    "options",
}
ARGUMENTS: dict[str, dict[str, str]] = {
    "layer": {
        "weights": "Call set_weights once the layer is built, or use an initializer.",
        "border_mode": "=padding",
        "subsample": "=strides",
        "nb_filter": "=filters",
        "init": "=kernel_initializer",
        "W_regularizer": "=kernel_regularizer",
        "b_regularizer": "=bias_regularizer",
        "fused": "Leave it out.",
        "renorm": "Leave it out; Keras 3 has no batch renormalization.",
        "virtual_batch_size": "Leave it out.",
        "time_major": "Swap the first two axes with keras.ops.swapaxes.",
        "dynamic": "Leave it out; use run_eagerly=True in compile.",
    },
    "callback": {
        "period": "Use save_freq.",
        "write_grads": "Leave it out.",
        "nb_epoch": "Leave it out.",
    },
    "regularizer": {"l": "Write l2 or l1."},
    "model": {"input": "=inputs", "output": "=outputs"},
}
"""Kind of object -> argument of Keras 2 -> ``=new name`` or what to do."""
