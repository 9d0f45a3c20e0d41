"""Judge what was run: digests, single steps, trajectories, noise, and whole runs against each other."""
