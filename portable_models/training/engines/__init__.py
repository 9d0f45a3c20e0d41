"""Engines: what runs the steps of a training, and which one may run it."""
