"""Section 6 of the experiments: every name that a portable definition may use, and what it needs."""

LOSSES = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "CTC",
    "Dice",
    "Tversky",
    "Circle",
    "CategoricalGeneralizedCrossEntropy",
]
OPTIMIZERS = [
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "Nadam",
    "RMSprop",
    "SGD",
    "LossScaleOptimizer",
    "Lamb",
    "Muon",
]
METRICS = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanRelativeError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "MeanTensor",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
]
METRIC_FUNCTIONS = [
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "hinge",
    "kl_divergence",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]
FUNCTION_ALIASES = {
    "KLD": "kl_divergence",
    "MAE": "mean_absolute_error",
    "MAPE": "mean_absolute_percentage_error",
    "MSE": "mean_squared_error",
    "MSLE": "mean_squared_logarithmic_error",
}
REGULARIZERS = ["L1", "L2", "L1L2", "OrthogonalRegularizer"]
INITIALIZERS = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "STFT",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
]
CONSTRAINTS = ["MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm"]

NAMES = {
    "loss": LOSSES,
    "metric": METRICS,
    "optimizer": OPTIMIZERS,
    "regularizer": REGULARIZERS,
    "initializer": INITIALIZERS,
    "constraint": CONSTRAINTS,
}
INNER = {"class_name": "SGD", "config": {"learning_rate": 0.5, "momentum": 0.9, "name": "inner"}}
# What cannot be made from its name alone.
NEEDED = {
    # Its default dtype is another on TensorFlow: entry "iou-dtype" of known_gaps.toml.
    "MeanIoU": {"num_classes": 3, "dtype": "int32"},
    "MeanRelativeError": {"normalizer": [1.0, 2.0]},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    # By name, its window is made by SciPy, which Keras does not require.
    "STFT": {"window": None},
}
EVERYTHING = [(kind, name) for kind, listed in NAMES.items() for name in listed]

# Keras's class of this name differs between backends; the name stands for the one that does not.
REPLACED = {
    ("loss", "BinaryCrossentropy"),
    ("loss", "BinaryFocalCrossentropy"),
    ("loss", "CategoricalCrossentropy"),
    ("loss", "SparseCategoricalCrossentropy"),
    ("metric", "BinaryCrossentropy"),
    ("metric", "CategoricalCrossentropy"),
    ("metric", "SparseCategoricalCrossentropy"),
}


def class_name(kind, name):
    """The name of the class of the object that a name stands for."""
    return f"{name}OfProbabilities" if (kind, name) in REPLACED else name
