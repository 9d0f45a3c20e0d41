import os
import signal


def build_model():
    os.kill(os.getpid(), signal.SIGSEGV)
