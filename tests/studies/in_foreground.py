"""Runs ``portable`` as a foreground job: a background job hands down that signals are to be ignored."""

import runpy
import signal

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
runpy.run_module("backends_matrix", run_name="__main__", alter_sys=True)
