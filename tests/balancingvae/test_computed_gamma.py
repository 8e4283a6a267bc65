"""The computed gamma: the documented example, and the documented properties of the rules."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from balancingvae import losses
from balancingvae.gamma import running_average, running_minimum

PAGE = Path(__file__).resolve().parents[2] / "docs" / "computed_gamma.md"


def code_of_the_page():
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    return code


def test_the_example_of_the_page(capsys):
    code = code_of_the_page()
    keras.utils.set_random_seed(0)
    names = {}
    exec(compile(code, PAGE.name, "exec"), names)
    images = names["images"]
    error = np.mean(np.square(images - names["vae"].reconstruct(images)))
    gamma = float(capsys.readouterr().out.removeprefix("gamma "))
    # gamma falls from 1 to the root of the error; training samples err a little more than means.
    assert 1.0 < gamma / np.sqrt(error) < 1.25


def test_gamma_squared_is_the_error_where_the_likelihood_is_best():
    rng = np.random.default_rng(0)
    x, x_hat = rng.random((2, 50, 4, 4, 3)).astype("float32")
    error = float(losses.squared_error(x, x_hat))
    found = {
        factor: float(ops.mean(losses.generation_loss(x, x_hat, factor * error**0.5)))
        for factor in (0.99, 1.0, 1.01)
    }
    assert found[1.0] < min(found[0.99], found[1.01])
    # Then the reconstruction term is half the number of values.
    rest = 48 * (0.5 * np.log(error) + losses.HALF_LOG_2PI)
    assert found[1.0] - rest == pytest.approx(24, rel=1e-5)


def test_running_minimum_never_grows_and_falls_by_one_per_cent_at_most():
    error = 1.0
    for batch_error in np.random.default_rng(1).gamma(2.0, 0.1, 500):
        new = float(running_minimum(error, batch_error))
        assert 0.99 * error * (1 - 1e-6) <= new <= error
        error = new
    assert float(running_average(0.5, 1.0)) == pytest.approx(0.505)
    assert float(running_minimum(0.5, 1.0)) == 0.5


def test_kl_factor_of_the_published_configurations():
    assert losses.kl_factor((32, 32, 3), 64) == 1
    assert losses.kl_factor((64, 64, 3), 64) == 4
