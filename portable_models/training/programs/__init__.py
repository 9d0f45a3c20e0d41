"""What a compiled program is given: rows on the device, batches, and trainings that share it."""
