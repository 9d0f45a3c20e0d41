"""Run the cells of a matrix: plan, workers, results, resume."""
