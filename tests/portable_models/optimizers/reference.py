"""Every optimizer from its paper, in NumPy float64; nothing here knows of Keras.

A rule takes one weight, its gradient, the state it keeps for that weight, the learning rate and the
number of the step (from 1), and returns the new weight. Where a paper leaves a choice (where
epsilon stands, what a state starts from), the one documented at https://keras.io/api/optimizers is
taken.
"""

import numpy as np


def sgd(w, g, state, lr, t, momentum=0.0, nesterov=False):
    """Sutskever et al., section 2, http://proceedings.mlr.press/v28/sutskever13.html."""
    state["m"] = momentum * state.get("m", 0) - lr * g
    return w + (momentum * state["m"] - lr * g if nesterov else state["m"])


def rmsprop(w, g, state, lr, t, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    """Hinton, lecture 6e, https://www.cs.toronto.edu/~tijmen/csc321; centered: Graves 2013."""
    state["v"] = rho * state.get("v", 0) + (1 - rho) * g**2
    state["a"] = rho * state.get("a", 0) + (1 - rho) * g
    spread = state["v"] - state["a"] ** 2 if centered else state["v"]
    state["m"] = momentum * state.get("m", 0) + lr * g / np.sqrt(spread + epsilon)
    return w - state["m"]


def adam(w, g, state, lr, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    """Kingma and Ba, algorithm 1 as rearranged in section 2, https://arxiv.org/abs/1412.6980."""
    _moments(g, state, beta_1, beta_2)
    state["top"] = np.maximum(state.get("top", 0), state["v"])
    spread = state["top"] if amsgrad else state["v"]
    rate = lr * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return w - rate * state["m"] / (np.sqrt(spread) + epsilon)


def adamax(w, g, state, lr, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Kingma and Ba, algorithm 2."""
    state["m"] = beta_1 * state.get("m", 0) + (1 - beta_1) * g
    state["u"] = np.maximum(beta_2 * state.get("u", 0), np.abs(g))
    return w - lr / (1 - beta_1**t) * state["m"] / (state["u"] + epsilon)


def nadam(w, g, state, lr, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Dozat, algorithm 2, http://cs229.stanford.edu/proj2015/054_report.pdf."""
    _moments(g, state, beta_1, beta_2)
    now, later = (beta_1 * (1 - 0.5 * 0.96**step) for step in (t, t + 1))
    state["product"] = state.get("product", 1.0) * now
    mean = later * state["m"] / (1 - state["product"] * later)
    mean = mean + (1 - now) * g / (1 - state["product"])
    return w - lr * mean / (np.sqrt(state["v"] / (1 - beta_2**t)) + epsilon)


def adagrad(w, g, state, lr, t, initial_accumulator_value=0.1, epsilon=1e-7):
    """Duchi et al., https://www.jmlr.org/papers/v12/duchi11a.html."""
    state["v"] = state.get("v", initial_accumulator_value) + g**2
    return w - lr * g / np.sqrt(state["v"] + epsilon)


def adadelta(w, g, state, lr, t, rho=0.95, epsilon=1e-7):
    """Zeiler, algorithm 1, https://arxiv.org/abs/1212.5701."""
    state["v"] = rho * state.get("v", 0) + (1 - rho) * g**2
    change = -np.sqrt(state.get("d", 0) + epsilon) / np.sqrt(state["v"] + epsilon) * g
    state["d"] = rho * state.get("d", 0) + (1 - rho) * change**2
    return w + lr * change


def ftrl(
    w,
    g,
    state,
    lr,
    t,
    learning_rate_power=-0.5,
    initial_accumulator_value=0.1,
    l1_regularization_strength=0.0,
    l2_regularization_strength=0.0,
    l2_shrinkage_regularization_strength=0.0,
    beta=0.0,
):
    """McMahan et al., algorithm 1, https://research.google/pubs/pub41159."""
    before = state.get("n", initial_accumulator_value)
    state["n"] = before + g**2
    power = -learning_rate_power
    shrunk = g + 2 * l2_shrinkage_regularization_strength * w
    sigma = (state["n"] ** power - before**power) / lr
    state["z"] = z = state.get("z", 0) + shrunk - sigma * w
    pull = np.sign(z) * l1_regularization_strength - z
    width = (beta + state["n"] ** power) / lr + 2 * l2_regularization_strength
    return np.where(np.abs(z) <= l1_regularization_strength, 0, pull / width)


def lion(w, g, state, lr, t, beta_1=0.9, beta_2=0.99):
    """Chen et al., program 1, https://arxiv.org/abs/2302.06675."""
    before = state.get("m", 0)
    state["m"] = beta_2 * before + (1 - beta_2) * g
    return w - lr * np.sign(beta_1 * before + (1 - beta_1) * g)


def lamb(w, g, state, lr, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """You et al., algorithm 2, https://arxiv.org/abs/1904.00962."""
    _moments(g, state, beta_1, beta_2)
    spread = np.sqrt(state["v"] / (1 - beta_2**t)) + epsilon
    direction = state["m"] / (1 - beta_1**t) / spread
    return w - lr * np.linalg.norm(w) / np.linalg.norm(direction) * direction


def adafactor(
    w,
    g,
    state,
    lr,
    t,
    beta_2_decay=-0.8,
    epsilon_1=1e-30,
    epsilon_2=1e-3,
    clip_threshold=1.0,
    relative_step=True,
):
    """Shazeer and Stern, algorithms 4 and 5, https://arxiv.org/abs/1804.04235."""
    rate = min(lr, 1 / np.sqrt(t))
    size = max(epsilon_2, _root_mean_square(w)) * rate
    squared, kept = g**2 + epsilon_1, 1 - t**beta_2_decay
    if w.ndim < 2:
        state["v"] = spread = kept * state.get("v", 0) + (1 - kept) * squared
    else:
        state["r"] = kept * state.get("r", 0) + (1 - kept) * squared.mean(1)
        state["c"] = kept * state.get("c", 0) + (1 - kept) * squared.mean(0)
        spread = np.outer(state["r"], state["c"]) / state["r"].mean()
    direction = g / np.sqrt(spread)
    return w - size * direction / max(1.0, _root_mean_square(direction) / clip_threshold)


def muon(w, g, state, lr, t, momentum=0.95, ns_steps=5, rms_rate=0.2):
    """Jordan, https://kellerjordan.github.io/posts/muon; Adam for what is no matrix.

    The step is scaled as in Liu et al., section 2.2, https://arxiv.org/abs/2502.16982.
    """
    if w.ndim != 2:
        return adam(w, g, state, lr, t)
    state["m"] = momentum * state.get("m", 0) + g
    x = g + momentum * state["m"]
    x = x / (np.linalg.norm(x) + 1e-7)
    for _ in range(ns_steps):
        gram = x @ x.T
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram @ gram) @ x
    return w - lr * x * np.sqrt(max(w.shape)) * rms_rate


def clipped_by_norm(gradients, norm):
    """Each gradient on its own, as ``clipnorm``."""
    return [g * norm / max(norm, np.linalg.norm(g)) for g in gradients]


def clipped_by_value(gradients, value):
    return [np.clip(g, -value, value) for g in gradients]


def clipped_by_global_norm(gradients, norm):
    """All gradients together; Pascanu et al., section 3.2, https://arxiv.org/abs/1211.5063."""
    total = np.sqrt(sum((g**2).sum() for g in gradients))
    return [g * norm / max(norm, total) for g in gradients]


def _moments(g, state, beta_1, beta_2):
    state["m"] = beta_1 * state.get("m", 0) + (1 - beta_1) * g
    state["v"] = beta_2 * state.get("v", 0) + (1 - beta_2) * g**2


def _root_mean_square(x):
    return np.sqrt((x**2).mean())
