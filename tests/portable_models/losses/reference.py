"""Every loss from its formula, in NumPy float64; nothing here knows of Keras.

Each function gives one value per sample (and time step); ``reduce`` does what is documented of a
reduction. Formulas are those of https://keras.io/api/losses, or of the paper named beside them.
"""

import collections
import functools
import itertools

import numpy as np

TINY = 1e-7  # Keras's epsilon: probabilities are kept that far from 0 and 1.


def reduce(values, weights=None, mask=None, reduction="sum_over_batch_size"):
    """One number (or, for "none", the weighted values) of values that may be weighted and masked."""
    values = np.asarray(values, dtype="float64")
    weights = np.ones(np.shape(values)) if weights is None else np.asarray(weights, dtype="float64")
    mask = np.ones(np.shape(values)) if mask is None else np.asarray(mask, dtype="float64")
    weighted = values * weights * mask
    if reduction in (None, "none"):
        return weighted
    if reduction == "sum":
        return weighted.sum()
    if reduction == "mean_with_sample_weight":
        return weighted.sum() / (weights * mask).sum()
    return weighted.sum() / np.broadcast_to(mask, weighted.shape).sum()


def mean_squared_error(y, p):
    return ((y - p) ** 2).mean(-1)


def mean_absolute_error(y, p):
    return np.abs(y - p).mean(-1)


def mean_absolute_percentage_error(y, p):
    return 100 * np.abs((y - p) / np.maximum(np.abs(y), TINY)).mean(-1)


def mean_squared_logarithmic_error(y, p):
    return ((np.log1p(np.maximum(y, TINY)) - np.log1p(np.maximum(p, TINY))) ** 2).mean(-1)


def huber(y, p, delta=1.0):
    error = np.abs(y - p)
    return np.where(error <= delta, error**2 / 2, delta * error - delta**2 / 2).mean(-1)


def log_cosh(y, p):
    return np.log(np.cosh(p - y)).mean(-1)


def cosine_similarity(y, p, axis=-1):
    lengths = np.linalg.norm(y, axis=axis) * np.linalg.norm(p, axis=axis)
    return -(y * p).sum(axis) / lengths


def hinge(y, p):
    return np.maximum(1 - _signs(y) * p, 0).mean(-1)


def squared_hinge(y, p):
    return (np.maximum(1 - _signs(y) * p, 0) ** 2).mean(-1)


def categorical_hinge(y, p):
    return np.maximum(((1 - y) * p).max(-1) - (y * p).sum(-1) + 1, 0)


def kl_divergence(y, p):
    y, p = np.clip(y, TINY, 1), np.clip(p, TINY, 1)
    return (y * np.log(y / p)).sum(-1)


def poisson(y, p):
    return (p - y * np.log(p + TINY)).mean(-1)


def binary_crossentropy(y, p, from_logits=False, label_smoothing=0.0):
    y, p = y * (1 - label_smoothing) + label_smoothing / 2, _sigmoid(p) if from_logits else p
    p = np.clip(p, TINY, 1 - TINY)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(-1)


def binary_focal_crossentropy(y, p, gamma=2.0, alpha=None):
    """Lin et al., equation 5, https://arxiv.org/abs/1708.02002."""
    right = np.where(y == 1, p, 1 - p)
    balance = 1.0 if alpha is None else np.where(y == 1, alpha, 1 - alpha)
    return -(balance * (1 - right) ** gamma * np.log(right)).mean(-1)


def categorical_crossentropy(y, p, from_logits=False, label_smoothing=0.0, axis=-1):
    y = y * (1 - label_smoothing) + label_smoothing / y.shape[-1]
    return -(y * np.log(_distribution(p, from_logits, axis))).sum(axis)


def categorical_focal_crossentropy(y, p, alpha=0.25, gamma=2.0):
    p = _distribution(p, False, -1)
    return -(alpha * (1 - p) ** gamma * y * np.log(p)).sum(-1)


def sparse_categorical_crossentropy(y, p, from_logits=False):
    one_hot = np.eye(p.shape[-1])[np.maximum(y, 0).astype(int)]
    return categorical_crossentropy(one_hot, p, from_logits)


def categorical_generalized_cross_entropy(y, p, q=0.5):
    """Zhang and Sabuncu, equation 6, https://arxiv.org/abs/1805.07836."""
    return (1 - np.take_along_axis(p, y[..., None].astype(int), -1)[..., 0] ** q) / q


def dice(y, p, axis=None):
    return 1 - 2 * (y * p).sum(axis) / (y.sum(axis) + p.sum(axis) + TINY)


def tversky(y, p, alpha=0.5, beta=0.5, axis=None):
    """Salehi et al., equation 4, https://arxiv.org/abs/1706.05721; Keras's names for the two errors."""
    both, only_y, only_p = (y * p).sum(axis), (y * (1 - p)).sum(axis), ((1 - y) * p).sum(axis)
    return 1 - both / (both + alpha * only_y + beta * only_p + TINY)


def circle(labels, embeddings, gamma=80.0, margin=0.4):
    """Sun et al., equations 6 to 8, https://arxiv.org/abs/2002.10857, on distances 1 - s."""
    similar = embeddings @ embeddings.T
    values = np.zeros(len(labels))
    for row, label in enumerate(labels):
        others = np.arange(len(labels)) != row
        near = similar[row, others & (labels == label)]
        far = similar[row, others & (labels != label)]
        if len(near):
            attract = gamma * np.maximum(1 + margin - near, 0) * (1 - margin - near)
            repel = gamma * np.maximum(far + margin, 0) * (far - margin)
            values[row] = np.log1p(np.exp(attract).sum() * np.exp(repel).sum())
    return values


def ctc(labels, logits):
    """Graves et al., equation 3 (https://www.cs.toronto.edu/~graves/icml_2006.pdf), path by path.

    The probability of a labelling is the sum over all paths that collapse to it: repeats merged,
    then blanks (0) dropped.
    """
    logs = np.log(_distribution(logits, True, -1))
    _, steps, classes = logits.shape
    paths = _paths(classes, steps)
    values = []
    for row, label in zip(logs, labels.astype(int), strict=True):
        chosen = paths[tuple(label[label > 0].tolist())]
        values.append(-np.log(np.exp(row[np.arange(steps), chosen].sum(-1)).sum()))
    return np.array(values)


@functools.cache
def _paths(classes, steps):
    """All paths, by the labelling that they collapse to."""
    found = collections.defaultdict(list)
    for path in itertools.product(range(classes), repeat=steps):
        found[tuple(symbol for symbol, _ in itertools.groupby(path) if symbol)].append(path)
    return {label: np.array(paths) for label, paths in found.items()}


def _signs(y):
    return 2 * y - 1 if np.isin(y, (0, 1)).all() else y


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _distribution(p, from_logits, axis):
    p = np.exp(p - p.max(axis, keepdims=True)) if from_logits else p
    return np.clip(p / p.sum(axis, keepdims=True), TINY, 1 - TINY)
