"""The smoke training once more, in float64 and without Keras: what every row must reproduce.

Plain Python numbers are float64, and the network is small, so this needs no package at all; it can
judge where not even NumPy is installed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from backends_matrix.versions import smoke


@dataclass(frozen=True)
class Expected:
    """The expected losses.

    Args:
        untrained: mean squared error of the initial weights.
        losses: mean loss of each epoch, each batch before its step.
        evaluate: mean squared error after the last epoch.
        margin: the smallest distance of a hidden unit from the corner of its ReLU in the training. Were
            it near float32's rounding, a backend could rightly take the other side.
    """

    untrained: float
    losses: tuple[float, ...]
    evaluate: float
    margin: float


@dataclass
class Network:
    """Dense ReLU units and one linear output, trained by gradient descent on the mean squared error.

    Args:
        kernel: weights of the hidden units, features by units.
        bias: one per hidden unit.
        readout: weight of each unit in the output.
        offset: bias of the output.
    """

    kernel: list[list[float]]
    bias: list[float]
    readout: list[float]
    offset: float
    margin: float = field(default=float("inf"), init=False)

    def hidden(self, x: list[float]) -> list[float]:
        """The units before their ReLU."""
        return [
            sum(value * row[unit] for value, row in zip(x, self.kernel, strict=True)) + bias
            for unit, bias in enumerate(self.bias)
        ]

    def error(self, x: list[float], y: float) -> float:
        """Output less target."""
        terms = zip(self.hidden(x), self.readout, strict=True)
        return sum(max(unit, 0.0) * weight for unit, weight in terms) + self.offset - y

    def loss(self, xs: list[list[float]], ys: list[float]) -> float:
        """Mean squared error."""
        return sum(self.error(x, y) ** 2 for x, y in zip(xs, ys, strict=True)) / len(ys)

    def gradient(self, xs: list[list[float]], ys: list[float]) -> Network:
        """The derivative of the loss by each weight, in the form of a network."""
        units, features = range(len(self.bias)), range(len(self.kernel))
        total = Network(
            [[0.0 for _ in units] for _ in features], [0.0] * len(units), [0.0] * len(units), 0.0
        )
        for x, y in zip(xs, ys, strict=True):
            hidden = self.hidden(x)
            self.margin = min(self.margin, *map(abs, hidden))
            slope = 2 * self.error(x, y) / len(ys)
            total.offset += slope
            for unit in units:
                total.readout[unit] += slope * max(hidden[unit], 0.0)
                back = slope * self.readout[unit] * (hidden[unit] > 0)
                total.bias[unit] += back
                for feature in features:
                    total.kernel[feature][unit] += back * x[feature]
        return total

    def step(self, gradient: Network, rate: float) -> None:
        """Go down the gradient."""
        self.offset -= rate * gradient.offset
        for unit in range(len(self.bias)):
            self.bias[unit] -= rate * gradient.bias[unit]
            self.readout[unit] -= rate * gradient.readout[unit]
            for row, slopes in zip(self.kernel, gradient.kernel, strict=True):
                row[unit] -= rate * slopes[unit]


def initial() -> Network:
    """The network with the weights that ``smoke.py`` gives the Keras model."""
    kernel, bias, readout, offset = smoke.initial_weights()
    return Network(kernel, bias, [weight for [weight] in readout], offset[0])


def expected() -> Expected:
    """Train as ``smoke.py`` does, in float64."""
    network, xs, ys = initial(), smoke.inputs(), [y for [y] in smoke.targets()]
    untrained = network.loss(xs, ys)
    losses = []
    for _ in range(smoke.EPOCHS):
        batch_losses = []
        for start in range(0, smoke.SAMPLES, smoke.BATCH_SIZE):
            batch = slice(start, start + smoke.BATCH_SIZE)
            batch_losses.append(network.loss(xs[batch], ys[batch]))
            network.step(network.gradient(xs[batch], ys[batch]), smoke.RATE)
        losses.append(sum(batch_losses) / len(batch_losses))
    return Expected(untrained, tuple(losses), network.loss(xs, ys), network.margin)
