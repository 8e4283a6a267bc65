"""Importing tf-gan and TensorFlow Hub, and the kernel distance through tf-gan."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from vaekit.errors import UserError
from vaekit.fid import kernel_distance, kid, tfgan_import


def test_tf_gan_imports_on_this_tensorflow():
    metrics = tfgan_import.inception_metrics()
    assert metrics.INCEPTION_TFHUB.startswith("https://tfhub.dev/tensorflow/tfgan/eval/inception")
    assert (metrics.INCEPTION_FINAL_POOL, metrics.INCEPTION_DEFAULT_IMAGE_SIZE) == ("pool_3", 299)
    assert callable(tfgan_import.classifier_metrics().run_classifier_fn)
    assert "tensorflow_gan" not in sys.modules  # no empty package is left for others to find


def test_substitute_for_pkg_resources(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n: None if n == "pkg_resources" else find_spec(n)
    )
    monkeypatch.delitem(sys.modules, "pkg_resources", raising=False)
    with tfgan_import._pkg_resources():
        from pkg_resources import parse_version

        assert parse_version("2.16.1") > parse_version("2.9")
    assert "pkg_resources" not in sys.modules


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"tensorflow-gan cannot be imported.*pip install"):
        tfgan_import._import_eval("no_such_module")


def polynomial_mmd(x, y):
    """Unbiased squared MMD with the kernel (x.y/d + 1)^3 (Binkowski et al., 2018), by loops."""

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def off_diagonal(k):
        return (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))

    return off_diagonal(kernel(x, x)) + off_diagonal(kernel(y, y)) - 2 * kernel(x, y).mean()


def test_kernel_distance_is_the_mean_over_blocks_with_its_standard_error():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((40, 5)), rng.standard_normal((40, 5)) + 0.3
    value, error = kernel_distance(x, y, max_block_size=10)
    order = np.random.default_rng(0)
    x, y = order.permutation(x), order.permutation(y)
    blocks = [polynomial_mmd(x[i : i + 10], y[i : i + 10]) for i in range(0, 40, 10)]
    np.testing.assert_allclose(value, np.mean(blocks), rtol=1e-9)
    np.testing.assert_allclose(error, np.std(blocks, ddof=1) / 2, rtol=1e-9)


def test_kid_of_images():
    rng = np.random.default_rng(2)
    a, b, c = (rng.random((60, 3, 3, 1)) for _ in range(3))
    same, error = kid(a, b, "standard", "pixels")
    far, _ = kid(a, c**4, "standard", "pixels")
    assert error > 0
    assert far > abs(same) + 5 * error
    with pytest.raises(UserError, match="need at least 4 images in each set, got 3 and 3"):
        kid(a[:3], b[:3], "standard", "pixels")


@pytest.mark.parametrize("backend", ["jax"])
def test_no_tensorflow_is_needed_for_anything_but_inception(backend):
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import numpy as np, keras, vaekit.fid as f\n"
        "x = np.random.default_rng(0).random((100, 4, 4, 1))\n"
        "print(f.fid(x, x**2, extractor='pixels') > 0)\n"
        "m = keras.Sequential([keras.layers.Input((4, 4, 1)), keras.layers.Flatten(),\n"
        "                      keras.layers.Dense(3)])\n"
        "print(f.evaluate_sets(x, {'G': x**2}, extractor=m)[0]['label'])\n"
        "try: f.InceptionExtractor('somewhere')\n"
        "except ValueError as e: print(e)\n"
    )
    import os

    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[0] == "True"
    assert done.stdout.splitlines()[1].startswith("Frechet distance, sequential")
    assert "TensorFlow cannot be imported" in done.stdout
