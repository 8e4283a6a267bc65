"""Resumable training around Keras' own `fit`.

The names below train a model. From outside, also use the modules `backend` (arithmetic), `devices`,
`compiled`, `inputs`, `batches`, `checkpoints` (saved state) and `continued` (longer runs).
"""

from vaekit.training.loop import EarlyStopping, TrainingDiverged, fit, halved_every, predict

__all__ = ["EarlyStopping", "TrainingDiverged", "fit", "halved_every", "predict"]
