"""One resumable training loop around Keras' own `fit`, for every model and backend."""

import dataclasses
import math
import time

import keras
import numpy as np

from vaekit.errors import UserError
from vaekit.training import checkpoints
from vaekit.training.batches import shuffled_batches
from vaekit.training.progress import Progress
from vaekit.training.tensorboard import tensorboard_curves


class TrainingDiverged(UserError):
    """The loss or a weight became NaN or infinite."""


@dataclasses.dataclass(frozen=True)
class EarlyStopping:
    """Stop when a monitored value has not improved for a while, and keep the best weights.

    Attributes:
        monitor: key of the epoch's record ("val/elbo").
        patience: number of consecutive epochs without improvement that are tolerated; training
            stops after one more.
        maximize: whether higher is better.
        warmup_epochs: length of a warm-up. An improvement counts within it too, but epochs without
            one are counted only from its last epoch on, as in the code of Tomczak & Welling (2018).
    """

    monitor: str
    patience: int
    maximize: bool = False
    warmup_epochs: int = 0


def fit(
    model,
    arrays,
    *,
    run,
    phase,
    epochs,
    batch_size,
    seed,
    validation=None,
    learning_rate=None,
    early_stopping=None,
    callbacks=(),
    progress=True,
):
    """Train a compiled, built model; an interrupted run resumes and reaches the same result.

    Args:
        model: compiled `keras.Model` with all its variables, including its random state.
        arrays: tuple of training arrays of equal length; see `batches.shuffled_batches`.
        run: the `runs.Run` that receives checkpoints and metrics.
        phase: name of this training within the run ("stage_one").
        epochs: number of epochs, counted from the start of the phase, resumed or not.
        batch_size: images per batch; the incomplete batch of an epoch is dropped.
        seed: determines the order of the batches.
        validation: None, or an array (or tuple of arrays) that is evaluated after every epoch; the
            results are recorded as "val/...".
        learning_rate: None, or a function of the epoch (from 0).
        early_stopping: None or an `EarlyStopping`.
        callbacks: further Keras callbacks; they must not keep state of their own.
        progress: whether to show epoch, losses and the time left; "verbose" for a line per epoch.
    Returns:
        The phase's records, one dict per epoch.
    Raises:
        TrainingDiverged: a loss or weight is NaN or infinite; the last checkpoint stays usable.
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    state = _restore(model, run, phase)
    if state["finished"] or state["epoch"] >= epochs:
        return run.records(phase)
    batches, steps = shuffled_batches(arrays, batch_size, seed, first_epoch=state["epoch"])
    keeper = _Keeper(run, phase, state, early_stopping, epochs)
    all_callbacks = [_DivergenceGuard(run, phase, state), *callbacks, keeper]
    if learning_rate is not None:
        all_callbacks.insert(0, keras.callbacks.LearningRateScheduler(learning_rate))
    if progress:
        verbose = progress == "verbose"
        all_callbacks.append(Progress(phase, epochs, steps, keeper, every_epoch=verbose))
    if run.tensorboard:
        all_callbacks.append(tensorboard_curves(run.directory / "tensorboard" / phase))
    # Not the model's own `fit`, which would check every batch of arrays that were checked before.
    keras.Model.fit(
        model,
        batches,
        steps_per_epoch=steps,
        initial_epoch=state["epoch"],
        epochs=epochs,
        validation_data=None if validation is None else (validation,),
        validation_batch_size=batch_size,
        callbacks=all_callbacks,
        shuffle=False,  # the batches are already shuffled
        verbose=0,
    )
    return run.records(phase)


def _restore(model, run, phase):
    """Load the phase's checkpoint, if any, into the model; returns the state of the training."""
    path = run.checkpoint_path(phase)
    fresh = {"epoch": 0, "seconds": 0.0, "finished": False, "best": None, "best_epoch": None}
    if not path.exists():
        run.forget_after(phase, 0)
        return fresh
    groups, state = checkpoints.load(path)
    checkpoints.assign(model.variables, groups.get("model", {}), path)
    checkpoints.assign(model.optimizer.variables, groups.get("optimizer", {}), path)
    run.forget_after(phase, state["epoch"])
    return fresh | state | {"best_weights": groups.get("best")}


class _Keeper(keras.callbacks.Callback):
    """Records every epoch, keeps the best weights, and writes the checkpoints."""

    def __init__(self, run, phase, state, early_stopping, epochs):
        super().__init__()
        self.run, self.phase, self.state = run, phase, state
        self.early_stopping, self.epochs = early_stopping, epochs
        self.record = {}
        self._saved_at = self._epoch_began = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_began = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.monotonic() - self._epoch_began
        values = {_record_key(key): float(value) for key, value in (logs or {}).items()}
        self.record = {"phase": self.phase, "epoch": epoch, **values, "seconds": seconds}
        self.run.log(self.record)
        self.state["epoch"] = epoch + 1
        self.state["seconds"] += seconds
        if self.early_stopping is not None and self._has_waited_enough(epoch):
            self.model.stop_training = True
        ends = self.model.stop_training or epoch + 1 == self.epochs
        if ends:
            self._finish()
        if ends or time.monotonic() - self._saved_at >= self.run.checkpoint_seconds:
            self._save()

    def _has_waited_enough(self, epoch):
        rule, state = self.early_stopping, self.state
        value = self.record[rule.monitor] * (1 if rule.maximize else -1)
        if state["best"] is None or value > state["best"]:
            state.update(best=value, best_epoch=epoch)
            state["best_weights"] = checkpoints.to_arrays(self.model.weights)
        return epoch - max(state["best_epoch"], rule.warmup_epochs - 2) > rule.patience

    def _finish(self):
        if self.state.get("best_weights"):
            checkpoints.assign(self.model.weights, self.state["best_weights"], "the best epoch")
        self.state["finished"] = True

    def _save(self):
        state = {key: value for key, value in self.state.items() if key != "best_weights"}
        groups = {"model": self.model.variables, "optimizer": self.model.optimizer.variables}
        if self.state.get("best_weights") and not self.state["finished"]:
            groups["best"] = self.state["best_weights"]
        path = self.run.checkpoint_path(self.phase)
        try:
            checkpoints.save(path, groups, state)
        except checkpoints.NotFinite as error:
            raise _diverged(
                self.run, self.phase, f"after epoch {self.state['epoch']}, weights are {error}"
            ) from error
        self._saved_at = time.monotonic()


class _DivergenceGuard(keras.callbacks.Callback):
    """Stops the run at the first loss that is NaN or infinite."""

    def __init__(self, run, phase, state):
        super().__init__()
        self.run, self.phase, self.epoch = run, phase, state["epoch"]

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            where = f"epoch {self.epoch + 1}, step {batch + 1}: the loss is {loss}"
            raise _diverged(self.run, self.phase, where)


def _diverged(run, phase, where):
    path = run.checkpoint_path(phase)
    kept = f"The last good checkpoint is {path}" if path.exists() else "There is no checkpoint yet"
    return TrainingDiverged(
        f"Training diverged in {phase}, {where}. {kept}. A smaller learning rate (--lr) or "
        "--precision float32 usually helps; changed options start a new run."
    )


def _record_key(key):
    return "val/" + key[4:] if key.startswith("val_") else key


def halved_every(initial, epochs, factor=0.5):
    """Learning rate `initial * factor^floor(epoch / epochs)`; constant if `epochs` is 0 or less."""
    if epochs <= 0:
        return lambda epoch, rate=None: initial
    return lambda epoch, rate=None: initial * factor ** (epoch // epochs)


def predict(function, array, batch_size=100):
    """Apply a function to an array in batches; the results are concatenated as numpy arrays.

    An incomplete last batch is filled up with copies of its last row, and the results are cut to
    length again, so that a compiled function sees only one shape.

    Args:
        function: takes a batch, a numpy array `(batch_size, ...)`, and returns an array or tensor
            of any backend, or a tuple of them, with one row per row of the batch.
        array: `(n, ...)`.
        batch_size: rows per call.
    Returns:
        Array `(n, ...)`, or a tuple of arrays where the function returns a tuple.
    """
    parts = []
    for start in range(0, len(array), batch_size):
        batch = np.asarray(array[start : start + batch_size])
        missing = batch_size - len(batch)
        if missing:
            batch = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)])
        results = function(batch)
        single = not isinstance(results, tuple)
        results = (results,) if single else results
        rows = batch_size - missing
        parts.append([keras.ops.convert_to_numpy(result)[:rows] for result in results])
    columns = tuple(np.concatenate(column) for column in zip(*parts, strict=True))
    return columns[0] if single else columns
