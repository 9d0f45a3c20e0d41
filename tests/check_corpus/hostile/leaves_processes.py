import subprocess
import sys


def build_model():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    raise SystemExit(7)
