"""Priors: densities against closed forms and sums in float64, sampling, pseudo-inputs."""

import numpy as np
import pytest
from keras import ops

from vaekit.errors import UserError
from vampprior.priors import (
    GaussianComponents,
    Mixture,
    PseudoInputs,
    StandardGaussian,
    effective_components,
    mixture_log_prob,
    standard_log_prob,
)


def brute_force(z, means, log_vars):
    """The mixture's log density term by term, in float64."""
    z, means, log_vars = (np.asarray(a, np.float64) for a in (z, means, log_vars))
    squares = (z[:, None] - means) ** 2 * np.exp(-log_vars)
    terms = -0.5 * (squares + log_vars + np.log(2 * np.pi)).sum(-1)
    return np.logaddexp.reduce(terms, axis=1) - np.log(len(means))


def components(k, latent_dim, seed=0, offset=0.0, low=-6.0, high=2.0):
    rng = np.random.default_rng(seed)
    means = (rng.normal(size=(k, latent_dim)) + offset).astype("float32")
    return means, rng.uniform(low, high, (k, latent_dim)).astype("float32")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def rounding(z, means, log_vars):
    """How far float32 may take the expanded squares, nats: eps for each of the roundings that a
    summand goes through (differences, products, and a sum over the latents in any order), times
    the largest sum of summands."""
    centre = np.float64(means).mean(0)
    z, means = np.float64(z) - centre, np.float64(means) - centre
    largest = (z[:, None] ** 2 + means**2) * np.exp(-np.float64(log_vars))
    return (6 + z.shape[1]) * 2**-24 * largest.sum(-1).max()


@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_mixture_density_equals_float64_sum_near_a_component(offset):
    means, log_vars = components(50, 40, offset=offset)
    z = (means[:20] + 0.1 * np.exp(0.5 * log_vars[:20])).astype("float32")
    # A mean far from 0 is known to 2^-24 of itself only, and so is the difference from it.
    shift = 2**-23 * offset * (0.1 * np.exp(-0.5 * log_vars)).sum(-1).max()
    np.testing.assert_allclose(
        numpy(mixture_log_prob(z, means, log_vars)),
        brute_force(z, means, log_vars),
        rtol=2**-22,
        atol=rounding(z, means, log_vars) + shift,
    )


def test_mixture_density_is_exact_where_nothing_cancels():
    means, log_vars = components(7, 3, low=-1, high=1)
    z = np.random.default_rng(1).normal(size=(30, 3)).astype("float32")
    np.testing.assert_allclose(
        numpy(mixture_log_prob(z, means, log_vars)),
        brute_force(z, means, log_vars),
        rtol=2e-6,
        atol=2e-5,
    )


def test_mixture_ignores_the_order_of_its_components():
    means, log_vars = components(11, 4)
    order = np.random.default_rng(2).permutation(11)
    z = np.random.default_rng(3).normal(size=(5, 4)).astype("float32")
    np.testing.assert_allclose(
        numpy(mixture_log_prob(z, means, log_vars)),
        numpy(mixture_log_prob(z, means[order], log_vars[order])),
        rtol=1e-6,
        atol=1e-5,
    )


def test_mixture_integrates_to_one_in_one_dimension():
    means, log_vars = components(5, 1, low=-3.0)
    # Steps of 2^-11 are exact in float32; tails beyond 20 hold less than exp(-20).
    grid = np.arange(-20 * 2**11, 20 * 2**11 + 1, dtype="float32")[:, None] / 2**11
    near = grid[np.abs(grid[:, 0]) < 5]  # where the mass is; elsewhere errors weigh nothing
    density = np.exp(np.float64(numpy(mixture_log_prob(grid, means, log_vars))))
    error = rounding(near, means, log_vars)
    assert error < 5e-4
    assert density.sum() / 2**11 == pytest.approx(1, abs=error + 1e-6)


def test_one_unit_component_is_the_standard_gaussian():
    z = np.random.default_rng(4).normal(size=(6, 3)).astype("float32")
    zero = np.zeros((1, 3), "float32")
    expected = -0.5 * (z**2).sum(1) - 1.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(numpy(standard_log_prob(z)), expected, rtol=1e-6)
    np.testing.assert_allclose(numpy(mixture_log_prob(z, zero, zero)), expected, rtol=1e-5)


def test_samples_come_from_all_components_alike_and_repeat_with_the_seed():
    means = 100.0 * np.arange(20, dtype="float32")[:, None]
    prior = Mixture(1, lambda: (means, np.zeros_like(means)))
    z = prior.sample(20_000, seed=5)
    counts = np.bincount(np.rint(z[:, 0] / 100).astype(int), minlength=20)
    assert counts.shape == (20,) and counts.min() > 850 and counts.max() < 1150  # 1000 +- 5 sd
    assert abs((z[:, 0] - 100 * np.rint(z[:, 0] / 100)).std() - 1) < 0.03
    np.testing.assert_array_equal(z, prior.sample(20_000, seed=5))
    assert (prior.sample(10, seed=6) != prior.sample(10, seed=7)).any()


def test_standard_prior_samples_and_scores():
    prior = StandardGaussian(3)
    z = prior.sample(5000, seed=0)
    assert z.shape == (5000, 3) and abs(z.mean()) < 0.03 and abs(z.std() - 1) < 0.03
    assert prior.log_prob(z[:7]).shape == (7,)


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((2, 4)), np.full((1, 3), np.nan)])
def test_latents_that_do_not_fit_are_refused(bad):
    with pytest.raises(UserError, match=r"Latents"):
        StandardGaussian(3).log_prob(bad)


def test_pseudo_inputs_start_as_told_and_stay_in_range():
    matrix = ops.convert_to_numpy(PseudoInputs(200, 50, mean=0.4, std=0.05, seed=1).matrix.value)
    assert abs(matrix.mean() - 0.4) < 0.002 and abs(matrix.std() - 0.05) < 0.002
    wide = PseudoInputs(200, 50, mean=0.0, std=2.0, seed=1).matrix
    values = ops.convert_to_numpy(wide.value)
    assert values.min() == 0 and values.max() == 1
    np.testing.assert_array_equal(numpy(wide.constraint(np.array([-1.0, 0.5, 2.0]))), [0, 0.5, 1])


def test_data_pseudo_inputs_are_different_training_images():
    images = np.random.default_rng(0).integers(0, 2, (30, 4, 5, 1)).astype("float32")
    pseudo = PseudoInputs(10, 20, trainable=False)
    pseudo.draw(images, seed=3)
    chosen = ops.convert_to_numpy(pseudo.matrix.value)
    found = [np.flatnonzero((images.reshape(30, -1) == row).all(1)) for row in chosen]
    assert all(len(f) == 1 for f in found) and len({int(f[0]) for f in found}) == 10
    assert not pseudo.trainable_variables
    with pytest.raises(UserError, match=r"10 pseudo-inputs came.* only 9 images"):
        pseudo.draw(images[:9], seed=3)


def test_pseudo_inputs_that_start_from_data_are_images_plus_noise_and_train():
    images = np.random.default_rng(0).integers(0, 256, (30, 4, 5, 1), dtype="uint8")
    pseudo = PseudoInputs(10, 20, std=0.01)
    pseudo.draw(images, seed=3, scale=1 / 255, std=0.01)
    started = numpy(pseudo.matrix.value)
    apart = np.abs(started[:, None] - images.reshape(30, -1) / 255).mean(-1).min(1)
    assert (apart > 0).all() and (apart < 0.02).all()
    assert started.min() >= 0 and started.max() <= 1 and len(pseudo.trainable_variables) == 1


def test_gaussian_components_are_trainable_and_start_spread():
    layer = GaussianComponents(100, 8, seed=0)
    assert len(layer.trainable_variables) == 2
    assert abs(ops.convert_to_numpy(layer.means.value).std() - 1) < 0.1


def test_responsibilities_are_bayes_rule_and_count_the_components_in_use():
    means, log_vars = components(6, 3, low=-1.0)
    mixture = Mixture(3, lambda: (means, log_vars))
    z = mixture.sample(50, seed=1)
    found = mixture.responsibilities(z)
    single = [brute_force(z, means[k : k + 1], log_vars[k : k + 1]) for k in range(6)]
    expected = np.exp(np.stack(single, 1) - np.log(6) - brute_force(z, means, log_vars)[:, None])
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    assert effective_components(np.eye(6)) == pytest.approx(6)
    assert effective_components(np.eye(6)[:1].repeat(9, axis=0)) == pytest.approx(1)
    assert effective_components(np.eye(6)[[0, 1]]) == pytest.approx(2)
