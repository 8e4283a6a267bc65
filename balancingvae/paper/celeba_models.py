"""Balancing, Table 3: models 1 to 4 on CelebA, each with computed and with learned gamma.

Asperti & Trentin (2020), arXiv 2002.07514. `python -m balancingvae tables celeba` trains them.
"""

import dataclasses

from balancingvae import presets
from balancingvae.paper import published, runner, tables
from balancingvae.paper.runner import Variant

MODELS = (1, 2, 3, 4)


def variants(preset, shared=()):
    """The table's rows as changes of a preset.

    Args:
        preset: the `Config` of celeba.
        shared: names of fields that the models keep, such as those of the small scale's budget.
    Returns:
        list of `runner.Variant`.
    """
    return [
        Variant(
            f"{policy} gamma, model {number}",
            {**_changes(preset, number, shared), "gamma_policy": policy},
        )
        for policy in ("computed", "learned")
        for number in MODELS
    ]


def _changes(preset, number, shared):
    """Fields in which the model of that number differs from the preset."""
    model = presets.preset(f"celeba_model{number}")
    names = {field.name for field in dataclasses.fields(model)} - {"name", *shared}
    return {
        name: getattr(model, name)
        for name in sorted(names)
        if getattr(model, name) != getattr(preset, name)
    }


def study(comparison):
    """Train the rows of the table (a `runner.Comparison` of celeba) and write the report."""
    runner.quiet()
    preset = comparison.preset
    rows = comparison.train(variants(preset, comparison.changes))
    theirs = published.sections(preset.dataset)
    tables.write_comparison(rows, comparison.folder("tables"), "Tables", preset.name, theirs)
