"""Variants and claims of a comparison, penalties of the papers' models, the small study."""

import dataclasses

import numpy as np
import pytest
from balancingvae.stages import StageOne
from keras import ops

from balancingvae import presets
from balancingvae.paper import comparison, measures, variance_report, variance_study
from vaekit.errors import UserError

TINY = dataclasses.replace(
    presets.preset("digits"), base_dim=2, fc_dim=8, latent_dim=4, num_scale=2, l2_reg=0.5
)


def test_policies_at_several_kl_weights_have_names_of_their_own():
    variants = comparison.policies((1.0, 0.1), (None, 1.0), cross_entropy=True)
    assert len(variants) == 12 == len({variant.name for variant in variants})
    for variant in variants:
        config = dataclasses.replace(TINY, **variant.changes)
        assert ("k = 1" in variant.name) == (variant.changes.get("kl_factor") == 1.0)
        assert config.gamma_policy == variant.changes["gamma_policy"]


def metrics(mse, latent_variance, distance):
    return {
        "mse": mse,
        "variance_loss": 0.9 * mse,
        "latent_variance": {"GEN-2": latent_variance, "GEN-2 renormalised": 1.02},
        "distances": [
            {"set": name, "label": "pixels", "value": value}
            for name, value in (
                ("GEN-1", 9.0),
                ("GEN-1 renormalised", 9.0),
                ("GEN-2", distance),
                ("GEN-2 renormalised", 8.0),
            )
        ],
    }


def test_claims_follow_the_measurements():
    def verdicts(computed, learned):
        found = {
            "computed gamma": [(one, []) for one in computed],
            "learned gamma (Dai & Wipf)": [(one, []) for one in learned],
        }
        words = {"reproduced": True, "not reproduced": False, "no difference": None}
        return [words[row[-1]] for row in comparison.claims(found)]

    good, bad = metrics(0.01, 0.8, 8.5), metrics(0.02, 1.1, 7.5)
    # mse, variance loss, below 1, about 1, GEN-1 better, GEN-2 better, two stages better
    assert verdicts([good, good], [bad, bad]) == [True, True, True, True, None, True, True]
    assert verdicts([bad], [good]) == [False, True, False, True, None, False, True]


def test_cells_over_seeds():
    assert comparison.over_seeds([2.0]) == 2.0
    assert comparison.over_seeds([None]) is None
    assert comparison.over_seeds([1.0, 3.0]) == "2 ± 1.414"


@pytest.mark.parametrize(
    ("choice", "part", "beginnings"),
    [("encoder", "encoder", ("downsample",)), ("decoder", "decoder", ("up", "scale"))],
)
def test_l2_of_celeba_models_falls_on_the_layers_named(choice, part, beginnings):
    stage = StageOne(dataclasses.replace(TINY, apply_l2=choice))
    kernels = [
        ops.convert_to_numpy(weight)
        for weight in getattr(stage, part).weights
        if weight.path.endswith("kernel") and weight.path.startswith(beginnings)
    ]
    assert kernels
    expected = 0.5 * sum(np.square(kernel).sum() for kernel in kernels)
    assert float(stage.penalty()) == pytest.approx(expected, rel=1e-5)


def test_wrong_l2_is_refused():
    with pytest.raises(UserError, match="Known: False, True, 'decoder', 'encoder'"):
        dataclasses.replace(TINY, apply_l2="both")


def test_presets_of_the_papers_tables():
    rates = [presets.preset(f"cifar10_lr{rate}").lr for rate in ("0.00020", "0.00005")]
    assert rates == [2e-4, 5e-5]
    assert presets.preset("celeba_model4").k == 1 and presets.preset("celeba_model3").k == 4
    two_stage = presets.preset("celeba_two_stage")
    assert two_stage.gamma_policy == "learned" and two_stage.k == 1


def test_shrunk_images_are_means_of_blocks():
    images = np.random.default_rng(0).uniform(size=(3, 5, 4, 1)).astype("float32")
    small = measures.shrunk(images, 4)
    assert small.shape == (3, 2, 2, 1)
    np.testing.assert_allclose(small[:, 0, 0, 0], images[:, :2, :2, 0].mean((1, 2)), rtol=1e-6)
    assert measures.shrunk(images, 20) is images


def rows(slope):
    errors = np.linspace(0.01, 0.05, 8)
    return [
        {
            "mse": mse,
            "variance_loss": slope * mse,
            "variance_loss_over_data": mse,
            "generated_loss": mse,
        }
        for mse in errors
    ]


@pytest.mark.parametrize(("slope", "holds"), [(1.05, True), (0.5, False)])
def test_claims_of_figure_4(slope, holds):
    verdicts = [row[-1] for row in variance_report.claims(rows(slope))]
    word = "reproduced" if holds else "not reproduced"
    assert verdicts == ["reproduced", word, "reproduced", "reproduced"]


def test_a_plan_trains_every_combination():
    plan = variance_study.Plan(latent_dims=(2, 4, 8))
    wanted = plan.configs()
    assert len(wanted) == 4 * 5 * 3 == len({(c.name, c.latent_dim) for c in wanted})
    assert {c.k for c in wanted} == {1.0} and {c.epochs for c in wanted} == {max(plan.budgets)}
