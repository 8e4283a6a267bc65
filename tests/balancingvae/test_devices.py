"""Training spread over two virtual processors has the result of one, on both backends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vaekit.errors import UserError
from vaekit.training import devices

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import dataclasses, json, sys
import keras
import numpy as np
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from balancingvae import presets, train
from vaekit.datasets import Dataset
from vaekit.runs import Run

images = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), dtype=np.uint8)
data = Dataset("digits", images, images[:4], images[:4], "discretized_logistic", "", "")
small = presets.Config(
    "digits", "digits", (4, 4, 1), num_scale=1, depth_per_block=1, base_dim=2, fc_dim=4,
    latent_dim=2, second_depth=1, second_dim=4, batch_size=20, epochs=2, epochs2=0, lr=1e-2,
    renormalization="unit",
)
found = {}
for count in (1, 2):
    with Run(f"{sys.argv[1]}/{count}", {"count": count}) as run:
        # Not "auto", which is bfloat16 on processors that multiply it: too coarse to compare.
        model = train.train(small, data, run, "float32", progress=False, device_count=count)
        records = [[r[k] for k in ("loss", "kl", "mse", "gamma")] for r in run.records()]
    norm = model.stage_one.decoder.get_layer("scale0_block0_bn0")
    scalars = [model.stage_one.balance.running_error, norm.updates]
    found[count] = {
        "records": records,
        "scalars": [float(scalar) for scalar in scalars],
        "statistics": np.concatenate([norm.mean, norm.variance]).tolist(),
    }
print(json.dumps(found))
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_two_devices_give_the_losses_of_one(backend, tmp_path):
    pytest.importorskip(backend)
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    environment["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # compiles in half the time
    environment["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["1"]["scalars"][1] == found["2"]["scalars"][1] == 4  # updates of the statistics
    for key in ("records", "scalars", "statistics"):
        np.testing.assert_allclose(found["2"][key], found["1"][key], rtol=2e-4, err_msg=key)


def test_more_devices_than_there_are_and_uneven_batches(monkeypatch):
    with pytest.raises(UserError, match=r"devices (must be|of) at most 1"):
        devices.check(99, 99)
    monkeypatch.setattr(devices, "available", lambda: ["a", "b", "c"])
    with pytest.raises(UserError, match="batch of 100 images cannot be split over 3"):
        devices.check(3, 100)
