"""Both packages train under both backends in fresh processes; JAX also with TensorFlow blocked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("jax", reason="the extra 'jax' is not installed")

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = """
import sys
if {blocked}:
    sys.modules["tensorflow"] = None  # any import of it now raises ImportError
import balancingvae, vampprior, vaekit
import vaekit.fid, vaekit.datasets
import balancingvae.__main__, vampprior.__main__
from vaekit import cli
assert cli.run(balancingvae.__main__.main, {balancing}) == 0
assert cli.run(vampprior.__main__.main, {vamp}) == 0
assert not {blocked} or sys.modules["tensorflow"] is None
"""
SHORT = ["--epochs", "1", "--images", "200", "--quiet"]


def train_both(backend, dataset, folder, blocked):
    """Train each package for an epoch in one fresh process; return the records by run folder."""
    places = ["--runs", str(folder / "runs"), "--report", str(folder / "report")]
    vamp = [dataset, "--priors", "vampprior", "-K", "8", "--samples", "3", *SHORT, *places]
    balancing = [dataset, "--epochs2", "1", "--num-scale", "1", "--base-dim", "4"]
    balancing += ["--second-dim", "16", "--test-images", "50", "--no-fid", *SHORT, *places]
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    environment["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # compiles in half the time
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(blocked=blocked, balancing=balancing, vamp=vamp)],
        capture_output=True, text=True, env=environment, cwd=folder, timeout=200, check=False,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-3000:]
    return {
        path.relative_to(folder / "runs").parts[0]: [
            json.loads(line) for line in path.read_text().splitlines()
        ]
        for path in folder.glob("runs/*/*/seed0/metrics.jsonl")
    }


def check_records(records):
    assert set(records) == {"balancingvae", "vampprior"}
    assert [r["phase"] for r in records["balancingvae"]] == ["stage_one", "stage_two"]
    assert all(np.isfinite(r["loss"]) for rows in records.values() for r in rows)


def test_tensorflow(tmp_path):
    check_records(train_both("tensorflow", "digits", tmp_path, blocked=False))


def test_jax_without_tensorflow_on_images_of_ones_own(tmp_path):
    (tmp_path / "images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (240, 8, 8), dtype=np.uint8)
    for index, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / "images" / f"{index:03d}.png")
    check_records(train_both("jax", f"folder:{tmp_path / 'images'}", tmp_path, blocked=True))
