"""The corpus of small models, and what is known of each."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2] / "check_corpus"
HERE, DIFFERS = "# here", "# differs:"


@dataclass(frozen=True)
class Sample:
    """One file of the corpus.

    Args:
        path: of the file.
        lines: where its mistake is, from 1.
        layer: the layer or operation that differs.
        backend: where; "" where backends do not agree on who is right.
    """

    path: Path
    lines: tuple[int, ...] = ()
    layer: str = ""
    backend: str = ""

    def __repr__(self):
        return self.path.stem


def samples(group):
    """The samples of a folder of the corpus."""
    found = []
    for path in sorted((ROOT / group).glob("*.py")):
        text = path.read_text(encoding="utf-8").splitlines()
        lines = tuple(n for n, line in enumerate(text, 1) if line.endswith(HERE))
        told = next((line.partition(DIFFERS)[2] for line in text if DIFFERS in line), "")
        layer, _, backend = (part.strip() for part in told.partition(","))
        found.append(Sample(path, lines, layer, backend))
    return found
