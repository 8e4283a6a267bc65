"""Training, checkpoints and inference on the PyTorch backend, each in a fresh process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

ROOT = Path(__file__).resolve().parents[2]
MODEL = """
import sys
import keras, numpy as np
from keras import ops
from vaekit import environment, runs, training
from vaekit.training import backend, checkpoints, devices

class NoisyLine(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.noise = keras.random.SeedGenerator(3)
        self.dense.build((None, 2))
        self.built = True

    def call(self, x, training=False):
        return self.dense(ops.cast(x, "float32"))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        noise = keras.random.normal(ops.shape(y_pred), seed=self.noise)
        return ops.mean(ops.square(y_pred - 1.0 + 0.1 * noise))

DATA = np.random.default_rng(0).integers(0, 5, (23, 2)).astype(np.uint8)

def train(folder, epochs):
    keras.utils.set_random_seed(1)
    model = NoisyLine()
    chosen = backend.arithmetic("mlp")
    model.compile(
        optimizer=keras.optimizers.Adam(0.05), jit_compile=chosen.jit_compile,
        steps_per_execution=backend.steps_per_execution(4),
    )
    rule = training.EarlyStopping("val/loss", patience=50)
    with runs.Run(folder, {}, checkpoint_seconds=0) as run:
        training.fit(
            model, (DATA,), run=run, phase="one", epochs=epochs, batch_size=5, seed=7,
            validation=DATA[:5], early_stopping=rule, progress=False,
        )
    return model
"""
RESUME = """
assert keras.backend.backend() == "torch" and "tensorflow" not in sys.modules
backend.full_precision_products()
whole = train("whole", 4)
train("cut", 2)
groups, state = checkpoints.load("cut/last/one.npz")
checkpoints.save("cut/last/one.npz", groups, state | {"finished": False})  # as if killed
cut = train("cut", 4)
for a, b in zip(whole.variables, cut.variables):
    np.testing.assert_array_equal(a.numpy(), b.numpy())
found = training.predict(cut, DATA, batch_size=10)  # needs a gradient
assert type(found) is np.ndarray and found.shape == (23, 1)
assert devices.replicas() == 1 and len(devices.available()) == 1
with devices.spread(1):
    devices.check(1, 5)
found_environment = environment.environment()
assert "torch" in found_environment["libraries"] and found_environment["backend"] == "torch"
np.savez("torch.npz", found=found)
"""
LOAD = """
groups, _ = checkpoints.load("whole/last/one.npz")
model = NoisyLine()
checkpoints.assign(model.variables, groups["model"], "whole/last/one.npz")
np.savez(f"{keras.backend.backend()}.npz", found=training.predict(model, DATA, batch_size=10))
"""


def run(backend, script, folder):
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    process = subprocess.run(
        [sys.executable, "-c", MODEL + script],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=200,
    )
    assert process.returncode == 0, process.stderr[-3000:]


def test_resumed_run_equals_uninterrupted_run_and_loads_on_other_backends(tmp_path):
    run("torch", RESUME, tmp_path)
    first, second = (tmp_path / name / "metrics.jsonl" for name in ("whole", "cut"))
    losses = [
        [json.loads(line)["loss"] for line in path.read_text().splitlines()]
        for path in (first, second)
    ]
    assert losses[0] == losses[1] and len(losses[0]) == 4
    expected = np.load(tmp_path / "torch.npz")["found"]
    run("tensorflow", LOAD, tmp_path)
    np.testing.assert_allclose(np.load(tmp_path / "tensorflow.npz")["found"], expected, rtol=1e-5)
