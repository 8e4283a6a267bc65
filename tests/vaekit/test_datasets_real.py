"""The published sets themselves, if $VAE_DATA_DIR contains them."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from vaekit import datasets

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(
        not os.environ.get("VAE_DATA_DIR"), reason="needs the datasets named by $VAE_DATA_DIR"
    ),
]

# Counts of the parts, shape, and mean of the training pixels in the loader's own scale.
EXPECTED = {
    "mnist": ((60_000, 0, 10_000), (28, 28, 1), 0.1307 * 255),
    "fashion_mnist": ((60_000, 0, 10_000), (28, 28, 1), 0.2860 * 255),
    "static_mnist": ((50_000, 10_000, 10_000), (28, 28, 1), 0.13056),
    "frey_faces": ((1_565, 200, 200), (28, 20, 1), 154.5),
    "caltech101_silhouettes": ((4_100, 2_264, 2_307), (28, 28, 1), 0.4489),
    "cifar10": ((50_000, 0, 10_000), (32, 32, 3), 0.4733 * 255),
    "celeba": (None, (64, 64, 3), None),
}


@pytest.fixture(scope="module")
def load_real(tmp_path_factory):
    """Load through a data folder of our own that points to the real files: its cache is new."""
    home = tmp_path_factory.mktemp("real")
    shelf = Path(os.environ.get("VAE_DATA_DIR", "."))

    def load(name, **options):
        if not (shelf / name).is_dir():
            pytest.skip(f"{shelf} has no {name}")
        (home / name).mkdir(exist_ok=True)
        for path in (shelf / name).iterdir():
            if not path.name.startswith("prepared") and not (home / name / path.name).exists():
                (home / name / path.name).symlink_to(path.resolve())
        return datasets.load(name, home, **options)

    yield load
    shutil.rmtree(home)  # half a gigabyte


@pytest.mark.parametrize("name", EXPECTED)
def test_counts_shapes_and_means(load_real, name):
    counts, shape, mean = EXPECTED[name]
    dataset = load_real(name, **({"validation": 0} if "validation" in _options(name) else {}))
    parts = (dataset.train, dataset.validation, dataset.test)
    assert dataset.image_shape == shape and {part.dtype for part in parts} == {np.dtype(np.uint8)}
    if counts:
        assert tuple(map(len, parts)) == counts
    if mean:
        assert dataset.train.mean() == pytest.approx(mean, rel=2e-3)
    if dataset.likelihood == "bernoulli":
        assert max(part.max() for part in parts) == 1
    again = load_real(name, **({"validation": 0} if "validation" in _options(name) else {}))
    assert again.source.startswith("prepared arrays") and again.fingerprint == dataset.fingerprint


def test_static_mnist_is_upright(load_real):
    # Seven has its bar at the top; the test file is ordered by digit.
    sevens = load_real("static_mnist").test[7_200:7_700, ..., 0]
    assert sevens.mean(axis=(0, 2)).argmax() < 11


def _options(name):
    return datasets.RECIPES[name].options
