"""A study that cannot be imported."""

raise RuntimeError("this module always raises")
