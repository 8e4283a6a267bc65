"""Released checkpoints: the shelf that models load from by name, and publishing onto it."""
