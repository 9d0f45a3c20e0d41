"""The models of these tests are modules of this folder; children of the tests import them too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
