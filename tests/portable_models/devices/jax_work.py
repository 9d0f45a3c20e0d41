"""What JAX computes on several devices, or where it says that its device is a GPU.

Run as ``python jax_work.py KIND OUT.npz NAME ...``.
"""

from __future__ import annotations

import sys
import warnings

import jax
import other_work
import training_work
from common_work import run, say


def main():
    kind, out, *names = sys.argv[1:]
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "__array__ implementation")
    if kind == "gpu":
        jax.default_backend = lambda: "gpu"
    from portable_models._backend import current

    assert {training_work, other_work}
    backend = current()
    say(
        "devices",
        counts=dict(backend.device_counts()),
        kind=backend.device_kind(),
        peak=backend.device_peak_bytes(),
        card=dict(backend.describe_card()),
    )
    run(names, out)


if __name__ == "__main__":
    main()
