"""A dataset of your own for the command line, found, split and cached like the published ones."""

import dataclasses
from pathlib import Path

import numpy as np

import vampprior
from vaekit import datasets
from vaekit.datasets import find, recipes
from vaekit.runs import Run
from vampprior import checkpoint, train

RECIPE = recipes.Recipe(
    takes="bars.npy, uint8 (n, 8, 8, 1) of 0 and 1",
    find=lambda folder: find.files(folder, ["bars.npy"]),
    read=lambda paths, options: recipes.Found({"all": np.load(paths[0])}, "bars, all of them"),
    divide=recipes.seeded_split(50, 50),
    likelihood="bernoulli",
)


def draw_bars(count=500):
    """Images of one horizontal and one vertical bar, uint8 `(count, 8, 8, 1)` of 0 and 1."""
    row, column = np.random.default_rng(0).integers(8, size=(2, count, 1, 1))
    return np.uint8((np.arange(8)[:, None] == row) | (np.arange(8) == column))[..., None]


def main(data_dir="data", folder="runs/own_dataset", epochs=100):
    file = Path(data_dir) / "bars" / "bars.npy"
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, draw_bars())
    recipes.RECIPES["bars"] = RECIPE
    config = vampprior.PRESETS["digits_vampprior"]
    config = dataclasses.replace(config, dataset="bars", dynamic_binarization=False, epochs=epochs)
    data = train.prepare(config, datasets.load("bars", data_dir))
    with Run(folder, checkpoint.describe(config)) as run:
        return train.train(config, data, run)
