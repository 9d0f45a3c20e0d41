"""The worker processes of ``portable check``: one for each backend, and the judges in float64."""
