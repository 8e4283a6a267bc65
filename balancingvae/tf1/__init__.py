"""Import of checkpoints of the original TensorFlow 1 code."""

from balancingvae.tf1.importer import import_tf1_checkpoint

__all__ = ["import_tf1_checkpoint"]
