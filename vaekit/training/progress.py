"""Progress of a long training: epoch, losses, and the time left."""

import sys
import time

import keras
from tqdm import tqdm

HIDDEN = {"phase", "epoch", "seconds", "learning_rate"}


class Progress(keras.callbacks.Callback):
    """A progress bar on a terminal; otherwise a plain line every few seconds.

    Args:
        phase: name at the beginning of each line.
        epochs, steps: number of epochs in the phase, and of steps in an epoch.
        keeper: the object whose `.record` holds the last epoch's values.
        line_seconds: shortest time between two plain lines.
        file: where to write; standard error by default.
        every_epoch: print a plain line for every epoch, on a terminal too.
    """

    def __init__(
        self, phase, epochs, steps, keeper, line_seconds=5.0, file=None, every_epoch=False
    ):
        super().__init__()
        self.title, self.epochs, self.steps = phase.replace("_", " "), epochs, steps
        self.keeper, self.line_seconds = keeper, line_seconds
        self.file, self.every_epoch = file or sys.stderr, every_epoch
        self.bar = None
        self._last_line = time.monotonic()
        self._first_epoch = keeper.state["epoch"]
        self._timed_from = None  # (time, steps) after the first step, which compiles

    def on_train_begin(self, logs=None):
        if self.file.isatty() and not self.every_epoch:
            self.bar = tqdm(
                total=self.epochs * self.steps,
                initial=self._first_epoch * self.steps,
                desc=self.title,
                unit="step",
                file=self.file,
                dynamic_ncols=True,
                smoothing=0.02,
            )
        elif self._first_epoch:
            print(f"{self.title}: resuming after epoch {self._first_epoch}", file=self.file)

    def on_train_batch_end(self, batch, logs=None):
        if self._timed_from is None:
            self._timed_from = time.monotonic(), batch + 1
        if self.bar is not None:
            done = self.keeper.state["epoch"] * self.steps + batch + 1
            self.bar.update(done - self.bar.n)
        elif time.monotonic() - self._last_line > 12 * self.line_seconds:
            self._line(f"step {batch + 1}/{self.steps}", batch + 1, logs or {})

    def on_epoch_end(self, epoch, logs=None):
        if self.bar is not None:
            self.bar.set_postfix_str(f"epoch {epoch + 1}/{self.epochs} {self._values()}")
            return
        last = epoch + 1 == self.epochs or self.model.stop_training
        if last or epoch == self._first_epoch or self._is_due():
            self._line("", 0, self.keeper.record)

    def on_train_end(self, logs=None):
        if self.bar is not None:
            self.bar.close()

    def _is_due(self):
        return self.every_epoch or time.monotonic() - self._last_line >= self.line_seconds

    def _line(self, where, steps, values):
        now = time.monotonic()
        began, uncounted = self._timed_from
        done = (self.keeper.state["epoch"] - self._first_epoch) * self.steps + steps - uncounted
        left = (self.epochs - self.keeper.state["epoch"]) * self.steps - steps
        remaining = duration((now - began) * left / done) if done > 0 else "unknown"
        epoch = self.keeper.state["epoch"] + (1 if steps else 0)
        print(
            f"{self.title}: epoch {epoch}/{self.epochs} {where}{' ' if where else ''}"
            f"{self._values(values)} ETA {remaining}",
            file=self.file,
            flush=True,
        )
        self._last_line = now

    def _values(self, values=None):
        values = self.keeper.record if values is None else values
        return " ".join(f"{k} {float(v):.4g}" for k, v in values.items() if k not in HIDDEN)


def duration(seconds):
    """Seconds as "1:02:03" or "4:05"."""
    return tqdm.format_interval(max(0, round(seconds)))


def bar(iterable=None, enabled=True, **options):
    """A tqdm bar for work outside `fit`; without a terminal it prints a line now and then."""
    if not sys.stderr.isatty():
        options = {"mininterval": 5.0, "maxinterval": 60.0, "ascii": True, "ncols": 80} | options
    return tqdm(iterable, disable=not enabled, file=sys.stderr, **options)
