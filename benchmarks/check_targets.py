"""Seconds that ``portable check`` takes for small sound models: the first with all imports, and further ones.

    python benchmarks/check_targets.py [FILE.py ...]

Prints one JSON object. The promise, on two idle cores: under 60 s for the first, under 12 s for further
ones. The load of the machine is given beside it, since a busy one takes longer.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from backends_matrix.check import CheckSettings, check
from backends_matrix.check.pool import Pool

SOUND = Path(__file__).parents[1] / "tests" / "check_corpus" / "sound"
TARGETS = ("mlp_compiled", "batchnorm_dropout", "lstm_classifier", "several_in_out")


def main(targets: list[str]) -> None:
    """Check them one after the other with one set of warm workers."""
    found = {}
    with Pool(CheckSettings()) as pool:
        for target in targets or [str(SOUND / f"{name}.py") for name in TARGETS]:
            begin = time.perf_counter()
            (result,) = check(target, pool=pool).targets
            found[Path(target).stem] = {
                "seconds": round(time.perf_counter() - begin, 1),
                "verdict": result.verdict,
                "executed": result.executed,
            }
    print(json.dumps({"load": os.getloadavg()[0], "cores": os.cpu_count(), "targets": found}))


if __name__ == "__main__":
    main(sys.argv[1:])
