"""Priors: densities against closed forms and sums in float64, sampling, pseudo-inputs."""

import numpy as np
import pytest
from keras import ops

from vaekit.distributions import check_latents, standard_log_prob
from vaekit.errors import UserError
from vampprior import priors
from vampprior.mixtures import effective_components, mixture_log_prob
from vampprior.priors import Mixture, MixtureOfGaussians, StandardNormal, VampPrior


class FixedMixture(Mixture):
    """A mixture with the components it is given."""

    def __init__(self, means, log_vars):
        super().__init__()
        self.parts = means, log_vars
        self.build((None, means.shape[1]))

    def components(self):
        return self.parts


def vamp_prior(*args, image_shape=(5, 10, 1), **keywords):
    """A VampPrior on its own: the encoder gives the pixels' sums as means."""
    prior = VampPrior(*args, **keywords)
    prior.connect(lambda x: (ops.sum(x, axis=(1, 2)), 0 * ops.sum(x, axis=(1, 2))), image_shape)
    prior.build((None, 1))
    return prior


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
    """Largest float32 error of the expanded squares, in nats.

    It is eps for each rounding of a summand (differences, products, and a sum over the latents in
    any order), times the largest sum of summands.
    """
    centre = np.float64(means).mean(0)
    z, means = np.float64(z) - centre, np.float64(means) - centre
    largest = (z[:, None] ** 2 + means**2) * np.exp(-np.float64(log_vars))
    return (6 + z.shape[1]) * 2**-24 * largest.sum(-1).max()


@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_mixture_density_equals_float64_sum_near_a_component(offset):
    means, log_vars = components(50, 40, offset=offset)
    z = (means[:20] + 0.1 * np.exp(0.5 * log_vars[:20])).astype("float32")
    # A mean far from 0 is known only to 2^-24 of itself, and so is the difference from it.
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
    # Steps of 2^-11 are exact in float32; tails beyond 20 have less mass than exp(-20).
    grid = np.arange(-20 * 2**11, 20 * 2**11 + 1, dtype="float32")[:, None] / 2**11
    near = grid[np.abs(grid[:, 0]) < 5]  # where the mass is; elsewhere errors do not matter
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
    prior = FixedMixture(means, np.zeros_like(means))
    z = prior.sample(20_000, seed=5)
    counts = np.bincount(np.rint(z[:, 0] / 100).astype(int), minlength=20)
    assert counts.shape == (20,) and counts.min() > 850 and counts.max() < 1150  # 1000 +- 5 sd
    assert abs((z[:, 0] - 100 * np.rint(z[:, 0] / 100)).std() - 1) < 0.03
    np.testing.assert_array_equal(z, prior.sample(20_000, seed=5))
    assert (prior.sample(10, seed=6) != prior.sample(10, seed=7)).any()


def test_standard_prior_samples_and_scores():
    prior = StandardNormal()
    prior.build((None, 3))
    z = prior.sample(5000, seed=0)
    assert z.shape == (5000, 3) and abs(z.mean()) < 0.03 and abs(z.std() - 1) < 0.03
    np.testing.assert_allclose(numpy(prior(z[:7])), numpy(standard_log_prob(z[:7])))


@pytest.mark.parametrize(
    "bad, message",
    [
        (np.zeros(3), r"Expected latents of shape \(n, 3\) with n at least 1, got \(3,\)\."),
        (np.zeros((2, 4)), r"got \(2, 4\)"),
        (np.zeros((0, 3)), r"got \(0, 3\)"),
        (np.full((1, 3), np.nan), "Expected finite latents, got NaN or infinite values"),
        (np.full((1, 3), "a"), "numeric dtype"),
    ],
)
def test_latents_that_do_not_fit_are_refused(bad, message):
    with pytest.raises(UserError, match=message):
        check_latents(bad, 3)


def test_pseudo_inputs_start_as_asked_and_stay_in_range():
    matrix = numpy(vamp_prior(200, start_mean=0.4, start_std=0.05, seed=1).matrix)
    assert abs(matrix.mean() - 0.4) < 0.002 and abs(matrix.std() - 0.05) < 0.002
    wide = vamp_prior(200, start_std=2.0, seed=1).matrix
    assert numpy(wide).min() == 0 and numpy(wide).max() == 1
    np.testing.assert_array_equal(numpy(wide.constraint(np.array([-1.0, 0.5, 2.0]))), [0, 0.5, 1])


def test_data_pseudo_inputs_are_different_training_images():
    images = np.random.default_rng(0).integers(0, 2, (30, 5, 10, 1)).astype("float32")
    prior = vamp_prior(10, start="data", trainable=False, seed=3)
    with pytest.raises(UserError, match=r"has no pseudo-inputs yet. Call adapt\(images\)"):
        prior.check_ready()
    prior.adapt(images)
    prior.check_ready()
    chosen = numpy(prior.matrix)
    found = [np.flatnonzero((images.reshape(30, -1) == row).all(1)) for row in chosen]
    assert all(len(f) == 1 for f in found) and len({int(f[0]) for f in found}) == 10
    assert not prior.trainable_variables
    np.testing.assert_allclose(numpy(prior.components()[0])[:, 0], chosen.sum(1), rtol=1e-5)
    with pytest.raises(UserError, match=r"at most the number of images, 9, .* got 10"):
        prior.adapt(images[:9])


def test_a_prior_may_adapt_before_its_model_is_built():
    images = np.random.default_rng(0).integers(0, 256, (30, 5, 10, 1), dtype="uint8")
    early = VampPrior(10, start="data", seed=3)
    early.adapt(images)
    early.connect(lambda x: (x, x), (5, 10, 1))
    early.build((None, 1))
    late = vamp_prior(10, start="data", seed=3)
    late.adapt(images / np.float32(255))  # floats and uint8 are the same images
    np.testing.assert_allclose(numpy(early.matrix), numpy(late.matrix), rtol=1e-6)


def test_pseudo_inputs_that_start_from_data_are_images_plus_noise_and_train():
    images = np.random.default_rng(0).integers(0, 256, (30, 5, 10, 1), dtype="uint8")
    prior = vamp_prior(10, start="data", start_std=0.01, seed=3)
    prior.adapt(images)
    started = numpy(prior.matrix)
    apart = np.abs(started[:, None] - images.reshape(30, -1) / 255).mean(-1).min(1)
    assert (apart > 0).all() and (apart < 0.02).all()
    assert started.min() >= 0 and started.max() <= 1 and len(prior.trainable_variables) == 1


def test_mixture_of_gaussians_is_trainable_and_starts_spread():
    prior = MixtureOfGaussians(100, seed=0)
    prior.build((None, 8))
    assert len(prior.trainable_variables) == 2
    means, log_vars = map(numpy, prior.components())
    assert abs(means.std() - 1) < 0.1 and (log_vars == 0).all()


def test_responsibilities_are_bayes_rule_and_count_the_components_in_use():
    means, log_vars = components(6, 3, low=-1.0)
    mixture = FixedMixture(means, log_vars)
    z = mixture.sample(50, seed=1)
    found = numpy(mixture.responsibilities(z))
    single = [brute_force(z, means[k : k + 1], log_vars[k : k + 1]) for k in range(6)]
    expected = np.exp(np.stack(single, 1) - np.log(6) - brute_force(z, means, log_vars)[:, None])
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    assert effective_components(np.eye(6)) == pytest.approx(6)
    assert effective_components(np.eye(6)[:1].repeat(9, axis=0)) == pytest.approx(1)
    assert effective_components(np.eye(6)[[0, 1]]) == pytest.approx(2)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: VampPrior(0), "num_pseudo_inputs must be a positive integer, got 0"),
        (lambda: MixtureOfGaussians(2.5), "num_components must be a positive integer, got 2.5"),
        (lambda: VampPrior(5, start="dat"), "Unknown start 'dat'. Did you mean data"),
        (lambda: priors.get("vamp"), "Unknown prior 'vamp'. Did you mean vampprior"),
        (lambda: priors.get(3), "prior must be one of standard, mixture, vampprior, or a"),
    ],
)
def test_priors_that_make_no_sense_are_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()
