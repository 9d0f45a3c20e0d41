import sys

import keras


def build_model():
    for _ in range(2000):
        print('{"event": "done", "phase": "build"}' + "\x00\xff" * 1000)
        sys.stderr.write("\x1b[2J" * 100)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
