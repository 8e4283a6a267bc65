"""Progress of a training: none, lines, every epoch; and the curves for TensorBoard."""

import argparse
import io
import sys
import types

import keras
import numpy as np
import pytest
from keras import ops

from vaekit import cli, runs, training
from vaekit.errors import UserError
from vaekit.training.progress import Progress


@pytest.mark.parametrize(
    ("option", "shown"), [([], True), (["--quiet"], False), (["--verbose"], "verbose")]
)
def test_progress_option(option, shown):
    parser = argparse.ArgumentParser()
    cli.add_training_arguments(parser)
    assert cli.progress(parser.parse_args(option)) == shown


def test_every_epoch_is_a_line_even_on_a_terminal():
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    keeper = types.SimpleNamespace(state={"epoch": 0}, record={"loss": 1.5})
    progress = Progress("one", 3, 1, keeper, file=terminal, every_epoch=True)
    progress.set_model(types.SimpleNamespace(stop_training=False))
    progress.on_train_begin()
    for epoch in range(3):
        progress.on_train_batch_end(0)
        keeper.state["epoch"] = epoch + 1
        progress.on_epoch_end(epoch)
    assert [line.split(" ETA")[0] for line in terminal.getvalue().splitlines()] == [
        f"one: epoch {epoch}/3 loss 1.5" for epoch in (1, 2, 3)
    ]


class Line(keras.Sequential):
    """A line that learns to be zero."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y_pred))


def fit(folder):
    """Train for two epochs with TensorBoard's curves; the folder of the curves."""
    model = Line([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd")
    with runs.Run(folder, {}, tensorboard=True) as run:
        training.fit(
            model, (np.ones((4, 2)),), run=run, phase="one", epochs=2, batch_size=2, seed=0,
            progress=False,
        )  # fmt: skip
    return folder / "tensorboard"


def test_tensorboard_holds_the_loss(tmp_path):
    pytest.importorskip("tensorboard", reason="the optional package tensorboard is not installed")
    (events,) = fit(tmp_path).rglob("events*")
    assert events.read_bytes().count(b"epoch_loss") == 2


def test_missing_tensorboard_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(UserError, match="pip install tensorboard"):
        fit(tmp_path)
