"""Renormalisation of latents and images: every named choice has its documented effect."""

import numpy as np
import pytest

from balancingvae import measures, renormalization
from balancingvae.renormalization import ImageRule, LatentRule
from vaekit.errors import UserError


@pytest.fixture(scope="module")
def posterior():
    rng = np.random.default_rng(0)
    return rng.normal(size=(1000, 3)) * [1, 0.5, 0.2], np.log([0.04, 0.5, 0.9]) * np.ones((1000, 3))


@pytest.fixture(scope="module")
def z():
    return np.random.default_rng(1).normal(size=(400, 3)) * [0.5, 0.8, 0.3]


def test_targets(posterior):
    mean, log_var = posterior
    var, sigma2 = mean.var(0), np.array([0.04, 0.5, 0.9])
    for target, law in (
        ("unit", np.ones(3)),
        ("law", var + sigma2),
        ("original_law", var + np.sqrt(sigma2)),
    ):
        each = renormalization.target_std(mean, log_var, LatentRule(target, "per_dimension"))
        np.testing.assert_allclose(each, np.sqrt(law))
        scalar = renormalization.target_std(mean, log_var, LatentRule(target))
        assert scalar == pytest.approx(np.sqrt(law.mean()))


def test_original_rule_is_the_published_codes(posterior):
    mean, log_var = posterior
    for factor, touched in ((0.5, True), (1.2, False)):
        mean_hat = factor * mean
        expected = renormalization.original_target_std(mean, log_var, mean_hat)
        ratio = measures.second_stage_figures(mean, mean_hat)["ratio"]
        assert (expected is not None) is touched
        assert renormalization.applies(renormalization.ORIGINAL, ratio) is touched
    expected = renormalization.original_target_std(mean, log_var, 0.5 * mean)
    found = renormalization.target_std(mean, log_var, renormalization.ORIGINAL)
    assert found == pytest.approx(expected)


def test_the_threshold_is_a_quarter():
    rule = renormalization.ORIGINAL
    assert not renormalization.applies(rule, 0.25) and renormalization.applies(rule, 0.26)
    assert renormalization.applies(LatentRule(), -3)


def test_batches_and_dimensions(z):
    reference = z.std(0)
    scalar = renormalization.renormalized(z, 1.0, LatentRule(), reference)
    for start in range(0, 400, 100):
        assert scalar[start : start + 100].std(0).mean() == pytest.approx(1)
    np.testing.assert_allclose(scalar[:5] / z[:5], scalar[0, 0] / z[0, 0])
    each = renormalization.renormalized(z, np.ones(3), LatentRule("unit", "per_dimension"), None)
    np.testing.assert_allclose(each[:100].std(0), 1)
    rule = LatentRule("unit", "per_dimension", "reference")
    whole = renormalization.renormalized(z, np.array([1.0, 2.0, 3.0]), rule, reference)
    np.testing.assert_allclose(whole.std(0), [1, 2, 3])


def test_images_moved_by_rule():
    rng = np.random.default_rng(2)
    real = rng.uniform(0.2, 0.8, (200, 4, 4, 1))
    flat = 0.5 + 0.3 * (real - 0.5)
    rec = ImageRule("reconstructions")
    assert renormalization.moved(flat, real, "GEN-1", rec) is flat
    assert renormalization.moved(flat, real, "REC", ImageRule("none")) is flat
    for name, rule in (("REC", rec), ("GEN-2", ImageRule("all", "test"))):
        found = renormalization.moved(flat, real, name, rule)
        np.testing.assert_allclose(found.std(0).mean(), real.std(0).mean(), rtol=1e-3)


def test_unknown_choices_are_refused():
    with pytest.raises(UserError, match="Known: law, original_law, unit"):
        LatentRule("one")
    with pytest.raises(UserError, match="Known: all, none, reconstructions"):
        ImageRule("generated")
