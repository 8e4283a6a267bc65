"""The documentation: its examples run, its site builds without warnings and loads no network."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ("own_network", "own_prior", "own_dataset")


def example(name):
    """An example's module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_short(name):
    lines = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 40


def test_own_network(tmp_path, monkeypatch):
    from balancingvae import networks

    monkeypatch.setattr(networks, "NETWORKS", dict(networks.NETWORKS))
    model = example("own_network").main(tmp_path / "run", epochs=1)
    assert model.generate(2, seed=0).shape == (2, 8, 8, 1)
    assert len(model.stage_one.encoder.weights) == 6  # three dense layers


def test_own_prior(tmp_path, monkeypatch):
    from vampprior import configs, priors

    monkeypatch.setattr(configs, "PRIORS", configs.PRIORS)
    monkeypatch.setattr(priors, "MIXTURES", priors.MIXTURES)
    model = example("own_prior").main(tmp_path / "run", epochs=1)
    _, log_vars = (np.asarray(part) for part in model.components())
    assert log_vars.shape == (64, 16) and np.ptp(log_vars, axis=0).max() == 0
    assert np.any(log_vars != 0)  # the shared variance was trained
    assert model.sample(2, seed=0).shape == (2, 8, 8, 1)


def test_own_dataset(tmp_path, monkeypatch):
    from vaekit.datasets import recipes

    monkeypatch.setattr(recipes, "RECIPES", recipes.RECIPES)
    module = example("own_dataset")
    assert module.draw_bars(7).sum(axis=(1, 2, 3)).tolist() == [15] * 7
    model = module.main(tmp_path / "data", tmp_path / "run", epochs=1)
    assert model.sample(2, seed=0).shape == (2, 8, 8, 1)
