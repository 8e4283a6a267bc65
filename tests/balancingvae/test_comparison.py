"""Variants and claims of comparisons, penalties of the papers' models, rooms of the studies."""

import ast
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from balancingvae import measures, paper, presets
from balancingvae.config import GAMMA_POLICIES
from balancingvae.paper import (
    celeba_models,
    claims,
    gamma_rules,
    learning_rates,
    published,
    runner,
    tables,
    variance_figure4,
)
from vaekit.errors import UserError

TINY = dataclasses.replace(
    presets.preset("digits"), base_dim=2, fc_dim=8, latent_dim=4, num_scale=2, l2_reg=0.5
)
# What studies share; every other module under paper/ is a study, or lists them (`commands`).
SHARED = {
    "claims", "first_stage", "published", "runner", "tables", "variance_losses",
}  # fmt: skip


def modules_imported_from_paper(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "balancingvae.paper":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            package, _, name = node.module.partition("balancingvae.paper.")
            found |= {name} if name and not package else set()
        elif isinstance(node, ast.Import):
            names = (alias.name.partition("balancingvae.paper.") for alias in node.names)
            found |= {name for package, _, name in names if name and not package}
    return found


def test_no_study_imports_another():
    paths = {path.stem: path for path in Path(paper.__path__[0]).glob("*.py")}
    assert set(paths) >= SHARED and "commands" in paths
    for name in set(paths) - {"commands"}:
        others = modules_imported_from_paper(paths[name])
        assert others <= SHARED, f"paper/{name}.py imports {sorted(others - SHARED)}"


def test_policies_at_several_kl_weights_have_names_of_their_own():
    variants = gamma_rules.variants((1.0, 0.1), (None, 1.0), cross_entropy=True)
    assert len(variants) == 14 == len({variant.name for variant in variants})
    for variant in variants:
        config = dataclasses.replace(TINY, **variant.changes)
        assert ("k = 1" in variant.name) == (variant.changes.get("kl_factor") == 1.0)
        assert config.gamma_policy == variant.changes["gamma_policy"]


def test_every_rule_for_gamma_is_compared():
    policies = {variant.changes["gamma_policy"] for variant in gamma_rules.variants()}
    assert policies == set(GAMMA_POLICIES)


def test_table_5_has_the_published_rates_and_a_learned_gamma():
    variants = learning_rates.variants(1e-4)
    rates = {f"{variant.changes['lr']:.5f}"[1:] for variant in variants if "lr" in variant.changes}
    assert rates == {row.rate for row in published.LEARNING_RATES["cifar10"]}
    assert variants[-1].changes == {"gamma_policy": "learned", "kl_factor": 1.0}


def test_table_3_has_four_models_under_both_rules():
    variants = celeba_models.variants(presets.preset("celeba"), shared=("base_dim", "lr"))
    assert len(variants) == 8 and not any("lr" in variant.changes for variant in variants)
    four = next(variant for variant in variants if variant.name == "learned gamma, model 4")
    assert four.changes["latent_dim"] == 128 and four.changes["gamma_policy"] == "learned"


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


def row(policy, all_metrics, **changes):
    config = dataclasses.replace(TINY, gamma_policy=policy, **changes)
    return runner.Row("any name", config, all_metrics)


def test_claims_follow_the_measurements():
    def verdicts(computed, learned):
        rows = [
            row("learned", [metrics(0.0, 0.0, 0.0)], cross_entropy=True),
            row("computed_average", []),
            row("computed", computed),
            row("learned", learned),
        ]
        return [claim.holds for claim in claims.check(rows)]

    good, bad = metrics(0.01, 0.8, 8.5), metrics(0.02, 1.1, 7.5)
    # mse, variance loss, below 1, about 1, GEN-1 better, GEN-2 better, two stages better
    assert verdicts([good, good], [bad, bad]) == [True, True, True, True, None, True, True]
    assert verdicts([bad], [good]) == [False, True, False, True, None, False, True]
    assert claims.check([row("learned", [good])]) == []


def test_cells_over_seeds():
    assert runner.over_seeds([2.0]) == 2.0
    assert runner.over_seeds([None]) is None
    assert runner.over_seeds([1.0, 3.0]) == "2 ± 1.414"


def test_distances_are_found_by_label_and_set():
    rows = [row("computed", [metrics(0.01, 0.8, 8.5), metrics(0.01, 0.8, 9.5)])]
    assert tables.labels(rows) == ["pixels"]
    assert tables.distances(rows[0], "pixels", ("GEN-1", "REC", "GEN-2")) == [
        "9 ± 0", None, "9 ± 0.7071",
    ]  # fmt: skip
    assert tables.distances(rows[0], "FID", ("GEN-1",)) == [None]


def test_published_tables_of_a_dataset():
    (section,) = published.sections("cifar10")
    assert [len(table.rows) for table in section.tables] == [4, 4, 6]
    assert all(len(r) == len(t.columns) for t in section.tables for r in t.rows)
    assert len(published.sections("celeba")[0].tables) == 2
    assert published.sections("digits") == [] and published.autoencoders("digits") is None


def test_wrong_l2_is_refused():
    with pytest.raises(UserError, match="Unknown apply_l2 'both'"):
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
    verdicts = [claim.verdict for claim in variance_figure4.claims(rows(slope))]
    word = "reproduced" if holds else "not reproduced"
    assert verdicts == ["reproduced", word, "reproduced", "reproduced"]


def test_the_fitted_line_is_the_least_squares_one():
    rng = np.random.default_rng(0)
    x = rng.uniform(size=40)
    y = 0.9 * x + 0.1 * rng.normal(size=40)
    found = variance_figure4.fitted_line(
        [{"mse": a, "variance_loss": b} for a, b in zip(x, y, strict=True)], "variance_loss"
    )
    slope, offset = np.polyfit(x, y, 1)
    expected = (slope, offset, np.corrcoef(x, y)[0, 1])
    np.testing.assert_allclose((found.slope, found.offset, found.correlation), expected)
    assert found.slope == pytest.approx(stats.linregress(x, y).slope)


def test_no_line_through_one_error():
    alone = rows(1.0)[:1]
    assert variance_figure4.fitted_line(alone, "variance_loss").slope is None
    assert [claim.holds for claim in variance_figure4.claims(alone)] == [True, False, False, True]


def test_a_plan_trains_every_combination():
    plan = variance_figure4.Plan(latent_dims=(2, 4, 8))
    wanted = plan.configs()
    assert len(wanted) == 4 * 5 * 3 == len({(c.name, c.latent_dim) for c in wanted})
    assert {c.k for c in wanted} == {1.0} and {c.epochs for c in wanted} == {max(plan.budgets)}
