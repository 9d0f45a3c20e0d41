"""What small dense networks compute and learn, in NumPy float64; nothing here knows of Keras."""

import numpy as np

EPS = np.finfo("float32").eps


def relu(x):
    return np.maximum(x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    grown = np.exp(x - x.max(-1, keepdims=True))
    return grown / grown.sum(-1, keepdims=True)


def forward(weights, x, activations):
    """The output of dense layers; ``weights`` holds a kernel and a bias for each."""
    for kernel, bias, activation in zip(weights[::2], weights[1::2], activations, strict=True):
        x = activation(x @ kernel.astype("float64") + bias)
    return x


def descend(weights, loss, rate, step=1e-6):
    """One step of gradient descent on ``loss(weights)``, by central differences.

    Their error, about ``step**2`` and ``2e-16 / step``, is far below a rounding of float32.
    """
    start = [w.astype("float64") for w in weights]
    moved = []
    for number, weight in enumerate(start):
        gradient = np.zeros_like(weight)
        for index in np.ndindex(weight.shape):
            change = np.zeros_like(weight)
            change[index] = step
            up, down = (
                loss([w + sign * change if k == number else w for k, w in enumerate(start)])
                for sign in (1, -1)
            )
            gradient[index] = (up - down) / (2 * step)
        moved.append(weight - rate * gradient)
    return moved
