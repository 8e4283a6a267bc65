"""Every rule for gamma at equal budget: `python -m balancingvae policies`.

Asperti & Trentin (2020), arXiv 2002.07514, Section 4, against Dai & Wipf (2019), fixed numbers and
the optimal sigma of sigma-VAE (Rybkin et al., 2021).
"""

from balancingvae.paper import runner, tables
from balancingvae.paper.runner import Variant


def variants(gammas=(1.0,), kl_factors=(None,), cross_entropy=False):
    """Every rule for gamma, at each weight of the KL.

    Args:
        gammas: numbers for the fixed rule.
        kl_factors: weights of the first stage's KL; None for (2 side / latent_dim)^2.
        cross_entropy: whether to add Dai & Wipf's cross-entropy.
    Returns:
        list of `runner.Variant`.
    """
    rules = [
        Variant("computed gamma", {"gamma_policy": "computed"}),
        Variant("computed gamma, plain average", {"gamma_policy": "computed_average"}),
        Variant("gamma of the batch (sigma-VAE)", {"gamma_policy": "batch"}),
        Variant("learned gamma (Dai & Wipf)", {"gamma_policy": "learned"}),
        *(Variant(f"fixed gamma {g:g}", {"gamma_policy": "fixed", "gamma": g}) for g in gammas),
    ]
    if cross_entropy:
        changes = {"gamma_policy": "learned", "cross_entropy": True}
        rules.append(Variant("cross-entropy (Dai & Wipf)", changes))
    several = len(kl_factors) > 1
    return [_weighted(rule, factor, several) for factor in kl_factors for rule in rules]


def _weighted(rule, factor, named):
    """A rule at one weight of the KL; its name states the weight if `named`."""
    changes = rule.changes if factor is None else {**rule.changes, "kl_factor": factor}
    weight = "k by formula" if factor is None else f"k = {factor:g}"
    return Variant(f"{rule.name}, {weight}" if named else rule.name, changes)


def study(comparison, gammas=(1.0,), kl_factors=(None,), cross_entropy=False):
    """Train all `variants` and write the report.

    Args:
        comparison: a `runner.Comparison`.
        gammas, kl_factors, cross_entropy: as for `variants`.
    """
    runner.quiet()
    rows = comparison.train(variants(gammas, kl_factors, cross_entropy))
    folder = comparison.folder("policies")
    tables.write_comparison(rows, folder, "Rules for gamma", comparison.preset.name)
