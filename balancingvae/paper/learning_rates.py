"""Balancing, Table 5: learning rates for CIFAR-10, and Dai & Wipf's learned gamma.

Asperti & Trentin (2020), arXiv 2002.07514. `python -m balancingvae tables cifar10` trains them.
"""

from balancingvae.paper import published, runner, tables
from balancingvae.paper.runner import Variant

FACTORS = (1.0, 2.0, 1.5, 0.5)  # of the base rate, 1e-4 in the paper


def variants(rate):
    """The table's rows as multiples of the base rate `rate`; a list of `runner.Variant`."""
    sweep = [
        Variant(f"computed gamma, lr {factor * rate:.2g}", {"lr": factor * rate})
        for factor in FACTORS
    ]
    learned = {"gamma_policy": "learned", "kl_factor": 1.0}
    return [*sweep, Variant("learned gamma (Dai & Wipf)", learned)]


def study(comparison):
    """Train the rows of the table (a `runner.Comparison` of cifar10) and write the report."""
    runner.quiet()
    preset = comparison.preset
    rows = comparison.train(variants(comparison.config().lr))
    theirs = published.sections(preset.dataset)
    tables.write_comparison(rows, comparison.folder("tables"), "Tables", preset.name, theirs)
