"""Every metric from its definition, in NumPy float64, on all samples at once; no Keras in here.

Functions take targets, predictions and one weight per sample. Definitions are those of
https://keras.io/api/metrics, or of the paper named beside them.
"""

import numpy as np

TINY = 1e-7  # Keras's epsilon


def mean_of(per_sample):
    """The metric that is the weighted mean of a value per sample."""

    def metric(y, p, w):
        values = per_sample(y, p)
        values = values.reshape(len(values), -1).mean(-1)
        return (values * w).sum() / w.sum()

    return metric


def binary_crossentropy(y, p):
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(-1)


def categorical_crossentropy(y, p):
    return -(y * np.log(p / p.sum(-1, keepdims=True))).sum(-1)


def sparse_categorical_crossentropy(y, p):
    return categorical_crossentropy(np.eye(p.shape[-1])[y.astype(int)], p)


def squared_logarithmic(y, p):
    return (np.log1p(y) - np.log1p(p)) ** 2


def cosine(y, p):
    return (y * p).sum(-1) / (np.linalg.norm(y, axis=-1) * np.linalg.norm(p, axis=-1))


def categorical_hinge(y, p):
    return np.maximum(((1 - y) * p).max(-1) - (y * p).sum(-1) + 1, 0)


def huber(y, p):
    error = np.abs(y - p)
    return np.where(error <= 1, error**2 / 2, error - 0.5)


def rank_of_target(labels, p):
    """How many classes are predicted as more likely than the right one."""
    right = np.take_along_axis(p, labels.astype(int)[:, None], -1)
    return (p > right).sum(-1)


def pearson(y, p):
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(y, p, strict=True)])


def concordance(y, p):
    """Lin 1989, equation 3 (https://doi.org/10.2307/2532051), of each row."""
    covariance = ((y - y.mean(-1, keepdims=True)) * (p - p.mean(-1, keepdims=True))).mean(-1)
    return 2 * covariance / (y.var(-1) + p.var(-1) + (y.mean(-1) - p.mean(-1)) ** 2)


def confusion(y, p, w, thresholds):
    """Weights of true positives, false positives, true and false negatives at each threshold."""
    w = np.broadcast_to(w.reshape(-1, *[1] * (y.ndim - 1)), y.shape).ravel()
    y, positive = y.ravel() > 0, p.ravel()[None] > np.asarray(thresholds)[:, None]
    return tuple(
        (w * (right == wanted) * (positive == wanted_positive)).sum(-1)
        for right, wanted, wanted_positive in (
            (y, True, True),
            (y, False, True),
            (y, False, False),
            (y, True, False),
        )
    )


def count(which, thresholds=(0.5,)):
    def metric(y, p, w):
        counts = confusion(y, p, w, thresholds)[which]
        return counts[0] if len(thresholds) == 1 else counts

    return metric


def ratio(a, b):
    return np.divide(a, a + b, out=np.zeros_like(a), where=a + b > 0)


def precision(y, p, w, thresholds=(0.5,)):
    tp, fp, _, _ = confusion(y, p, w, thresholds)
    return ratio(tp, fp) if len(thresholds) > 1 else ratio(tp, fp)[0]


def recall(y, p, w, thresholds=(0.5,)):
    tp, _, _, fn = confusion(y, p, w, thresholds)
    return ratio(tp, fn) if len(thresholds) > 1 else ratio(tp, fn)[0]


def top_k_precision(k):
    def metric(y, p, w):
        chosen = (p > np.sort(p, -1)[:, [-k - 1]]).astype(float)
        return precision(y, chosen, w)

    return metric


def of_class(which, metric):
    return lambda y, p, w: metric(y[:, which], p[:, which], w)


def best(found, wanted, least, thresholds):
    """The highest ``wanted`` rate where the ``found`` rate is at least ``least``."""

    def metric(y, p, w):
        tp, fp, tn, fn = confusion(y, p, w, thresholds)
        rates = {
            "sensitivity": ratio(tp, fn),
            "recall": ratio(tp, fn),
            "specificity": ratio(tn, fp),
            "precision": ratio(tp, fp),
        }
        return np.where(rates[found] >= least, rates[wanted], 0).max()

    return metric


def _auc_thresholds(number):
    inner = np.arange(1, number - 1) / (number - 1)
    return np.concatenate([[-TINY], inner, [1 + TINY]])


def area_under_roc(y, p, w, number=200, heights="trapezoid"):
    tp, fp, tn, fn = confusion(y, p, w, _auc_thresholds(number))
    x, height = ratio(fp, tn), ratio(tp, fn)
    sides = np.stack([height[:-1], height[1:]])
    of = {"trapezoid": sides.mean(0), "lower": sides.min(0), "upper": sides.max(0)}[heights]
    return ((x[:-1] - x[1:]) * of).sum()


def area_under_roc_of_labels(y, p, w):
    return np.mean([area_under_roc(y[:, k], p[:, k], w) for k in range(y.shape[1])])


def area_under_precision_recall(y, p, w, number=200):
    """Davis and Goadrich, section 4 (https://doi.org/10.1145/1143844.1143874), integrated exactly.

    Between two thresholds the true positives grow linearly with the predicted positives P, so the
    precision is a + b / P; its integral over the recall is taken in closed form.
    """
    tp, fp, _, fn = confusion(y, p, w, _auc_thresholds(number))
    area, predicted, positives = 0.0, tp + fp, tp[0] + fn[0]
    for k in range(number - 1):
        gained = predicted[k] - predicted[k + 1]
        if gained > 0:
            slope = (tp[k] - tp[k + 1]) / gained
            offset = tp[k + 1] - slope * predicted[k + 1]
            grown = np.log(predicted[k] / predicted[k + 1]) if predicted[k + 1] > 0 else 0.0
            area += slope * (slope * gained + offset * grown) / positives
    return area


def intersection_over_union(classes, targets=None):
    def metric(y, p, w):
        scores = []
        for k in range(classes) if targets is None else targets:
            both, either = w[(y == k) & (p == k)].sum(), w[(y == k) | (p == k)].sum()
            scores += [both / either] if either else []
        return np.mean(scores)

    return metric


def of_arguments(metric):
    return lambda y, p, w: metric(y.argmax(-1), p.argmax(-1), w)


def f_beta(beta):
    """F-score of each class, of the most likely class; van Rijsbergen's definition."""

    def metric(y, p, w):
        chosen = p == p.max(-1, keepdims=True)
        scores = []
        for k in range(y.shape[1]):
            tp, fp, _, fn = (value[0] for value in confusion(y[:, k], chosen[:, k] * 1.0, w, [0.5]))
            scores.append((1 + beta**2) * tp / ((1 + beta**2) * tp + beta**2 * fn + fp))
        return np.array(scores)

    return metric


def r_squared(y, p, w):
    w = w[:, None]
    centre = (w * y).sum(0) / w.sum(0)
    return (1 - (w * (y - p) ** 2).sum(0) / (w * (y - centre) ** 2).sum(0)).mean()


def relative_error(normalizer):
    return mean_of(lambda y, p: np.abs(y - p) / np.asarray(normalizer))
