"""Resumable training around Keras' own `fit`; `backend`, `devices`, `batches` and `checkpoints`
hold what it stands on."""

from vaekit.training.loop import EarlyStopping, TrainingDiverged, fit, halved_every, predict

__all__ = ["EarlyStopping", "TrainingDiverged", "fit", "halved_every", "predict"]
