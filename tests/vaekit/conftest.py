"""Fixtures of the dataset tests."""

import dataclasses

import pytest

from vaekit import network
from vaekit.datasets.recipes import RECIPES


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """An empty working folder and no network; returns the data folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAE_DATA_DIR", raising=False)
    monkeypatch.setattr(network, "is_reachable", lambda url: False)
    return tmp_path / "data"


@pytest.fixture
def small(monkeypatch):
    """Counts of the published sets, made small: `small(name, train=6, test=4)`."""

    def shrink(name, **counts):
        monkeypatch.setitem(RECIPES, name, dataclasses.replace(RECIPES[name], counts=counts))

    return shrink
