"""The papers' qualitative claims, checked against the runs of a comparison."""

import dataclasses

import numpy as np

from balancingvae.evaluate import set_name
from balancingvae.paper.runner import over_seeds
from vaekit.reporting.reports import show


@dataclasses.dataclass(frozen=True)
class Claim:
    """A statement of a paper and what the runs here show.

    Attributes:
        text: the statement.
        measured: the figures with which it was checked, in words.
        holds: whether they agree with it; None if it compares equal figures.
    """

    text: str
    measured: str
    holds: bool | None

    @property
    def verdict(self):
        """`holds` in words."""
        return {True: "reproduced", False: "not reproduced", None: "no difference"}[self.holds]


def check(rows):
    """The claims about two-stage VAEs, on the rows of a comparison.

    A claim about two means counts as reproduced if it holds for the means over seeds; the figures
    say how many seeds agree.

    Args:
        rows: list of `runner.Row`; the first one with a computed gamma is checked, against the
            first one with a learned gamma.
    Returns:
        list of `Claim`; empty without a computed gamma.
    """
    plain = [row for row in rows if not row.config.cross_entropy]
    computed = next((row for row in plain if row.config.gamma_policy == "computed"), None)
    learned = next((row for row in plain if row.config.gamma_policy == "learned"), None)
    if computed is None:
        return []
    found = []
    if learned is not None:
        pairs = [
            (ours["mse"], theirs["mse"])
            for ours, theirs in zip(computed.metrics, learned.metrics, strict=True)
        ]
        found.append(_smaller("computed gamma reaches a lower mse than learned gamma", pairs))
    found.append(_variance_loss(computed.metrics))
    found += _latent_variance(computed.metrics)
    closer = "renormalised latents bring {} closer to real images"
    for text, name, other in (
        (closer.format("GEN-1"), set_name("GEN-1", True), "GEN-1"),
        (closer.format("GEN-2"), set_name("GEN-2", True), "GEN-2"),
        ("two stages come closer than one", set_name("GEN-2", True), set_name("GEN-1", True)),
    ):
        pairs = [(distance(m, name), distance(m, other)) for m in computed.metrics]
        if all(None not in pair for pair in pairs):
            found.append(_smaller(text, pairs))
    return found


def distance(metrics, name):
    """The last distance of a set that has a value (FID is listed before pixels), or None."""
    rows = [row for row in metrics["distances"] if row["set"] == name and row["value"] is not None]
    return rows[-1]["value"] if rows else None


def _variance_loss(all_metrics):
    ratios = [m["variance_loss"] / m["mse"] for m in all_metrics]
    return Claim(
        "variance loss is about equal to the mse",
        f"ratio {show(over_seeds(ratios))}",
        bool(0.8 < np.mean(ratios) < 1.2),
    )


def _latent_variance(all_metrics):
    before = [m["latent_variance"]["GEN-2"] for m in all_metrics]
    after = [m["latent_variance"][set_name("GEN-2", True)] for m in all_metrics]
    return [
        Claim(
            "second-stage latents vary less than 1 before renormalisation",
            show(over_seeds(before)),
            max(before) < 1,
        ),
        Claim("and about 1 after it", show(over_seeds(after)), bool(abs(np.mean(after) - 1) < 0.1)),
    ]


def _smaller(text, pairs):
    """A claim that the first of two figures is smaller, on pairs over seeds."""
    left, right = (float(np.mean(side)) for side in zip(*pairs, strict=True))
    if all(a == b for a, b in pairs):  # for example GEN-1, whose latents already have unit variance
        return Claim(text, f"{show(left)} both times", None)
    agree = sum(a < b for a, b in pairs)
    measured = f"{show(left)} against {show(right)}; {agree} of {len(pairs)} seeds"
    return Claim(text, measured, left < right)
