import time


def build_model():
    time.sleep(3600)
