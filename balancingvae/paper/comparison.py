"""Variants of one preset side by side at equal budget: tables of means over seeds, and claims."""

import dataclasses

import numpy as np

from balancingvae import presets
from balancingvae.evaluate import RENORMALIZED, SETS
from balancingvae.paper import experiments
from vaekit.reporting import plots
from vaekit.reporting.reports import Figure, Section, Table, sentence, show

# A plain network and a share of the data that two CPU cores train in a minute. Small batches, since
# a learned log gamma moves by at most the learning rate per update.
SCALES = {
    "full": {},
    "small": {
        "network": "conv",
        "base_dim": 8,
        "fc_dim": 128,
        "second_dim": 256,
        "batch_size": 20,
        "epochs": 15,
        "epochs2": 20,
        "lr": 2e-3,
        "lr_epochs": 10,
        "lr2": 2e-3,
        "lr_epochs2": 15,
    },
}
SMALL_IMAGES = 2000  # for training; as many test images are measured
COLUMNS = (
    ("mse", "mse"),
    ("variance loss", "variance_loss"),
    ("KL", "kl"),
    ("gamma", "gamma"),
    ("variance law", "variance_law"),
    ("inactive", "inactive"),
)


@dataclasses.dataclass(frozen=True)
class Variant:
    """One row of a comparison: a name and the settings that differ from the preset's."""

    name: str
    changes: dict


def policies(gammas=(1.0,), kl_factors=(None,), cross_entropy=False):
    """Every rule for gamma, at each weight of the KL.

    Args:
        gammas: numbers for the fixed policy.
        kl_factors: weights of the first stage's KL; None for (2 side / latent_dim)^2.
        cross_entropy: whether Dai & Wipf's cross-entropy stands beside them.
    """
    rules = [
        Variant("computed gamma", {"gamma_policy": "computed"}),
        Variant("computed gamma, plain average", {"gamma_policy": "computed_average"}),
        Variant("learned gamma (Dai & Wipf)", {"gamma_policy": "learned"}),
        *(Variant(f"fixed gamma {g:g}", {"gamma_policy": "fixed", "gamma": g}) for g in gammas),
    ]
    if cross_entropy:
        changes = {"gamma_policy": "learned", "cross_entropy": True}
        rules.append(Variant("cross-entropy (Dai & Wipf)", changes))
    if len(kl_factors) == 1:
        return [_with_factor(rule, kl_factors[0], "") for rule in rules]
    return [
        _with_factor(rule, factor, ", k by formula" if factor is None else f", k = {factor:g}")
        for factor in kl_factors
        for rule in rules
    ]


def learning_rates(rate):
    """Balancing's Table 5, in multiples of its base rate, and Dai & Wipf's learned gamma."""
    sweep = [
        Variant(f"computed gamma, lr {factor * rate:.2g}", {"lr": factor * rate})
        for factor in (1.0, 2.0, 1.5, 0.5)
    ]
    learned = {"gamma_policy": "learned", "kl_factor": 1.0}
    return [*sweep, Variant("learned gamma (Dai & Wipf)", learned)]


def celeba_models(preset, shared):
    """Balancing's Table 3: models 1 to 4, each with computed and with learned gamma.

    Args:
        preset: the `Config` of celeba.
        shared: a scale's settings, which the models' budgets give way to.
    """
    variants = []
    for policy in ("computed", "learned"):
        for number in range(1, 5):
            model = presets.preset(f"celeba_model{number}")
            changes = {
                field.name: getattr(model, field.name)
                for field in dataclasses.fields(model)
                if field.name not in ("name", *shared)
                and getattr(model, field.name) != getattr(preset, field.name)
            }
            changes["gamma_policy"] = policy
            variants.append(Variant(f"{policy} gamma, model {number}", changes))
    return variants


def _with_factor(variant, factor, suffix):
    changes = variant.changes if factor is None else {**variant.changes, "kl_factor": factor}
    return Variant(variant.name + suffix, changes)


def run(preset, variants, seeds, shared, options, say=print):
    """Train (or continue, or reuse) every variant with every seed.

    Args:
        preset: the `Config` that all start from.
        variants: list of `Variant`.
        seeds: of the trainings.
        shared: changes of all, such as a scale's.
        options: `experiments.Options`.
        say: called with one line per training.
    Returns:
        dict of variant name -> list of (metrics, run), one per seed.
    """
    found = {variant.name: [] for variant in variants}
    # Seeds outermost: a study that is cut short has compared all variants on the first ones.
    for seed in seeds:
        for variant in variants:
            changes = {**shared, **variant.changes}
            config = dataclasses.replace(preset, **changes, seed=seed)
            dataset = experiments.load(config, options)
            metrics, finished = experiments.run_one(config, changes, dataset, options)
            found[variant.name].append((metrics, finished))
            say(f"{variant.name}, seed {seed}: {metrics['headline']}")
    return found


def over_seeds(values):
    """A cell: the mean, and the deviation over seeds where there are several."""
    values = [value for value in values if value is not None]
    if not values:
        return None
    mean = float(np.mean(values))
    if len(values) == 1:
        return mean
    return f"{show(mean)} ± {show(float(np.std(values, ddof=1)))}"


def distance(metrics, name):
    """The set's last distance with a value (FID first in the list, then pixels), or None."""
    rows = [row for row in metrics["distances"] if row["set"] == name and row["value"] is not None]
    return rows[-1]["value"] if rows else None


def fid(metrics, name):
    """The set's FID, or None where it was not computed."""
    rows = [row for row in metrics["distances"] if row["set"] == name and row["label"] == "FID"]
    return rows[0]["value"] if rows else None


def sections(found, folder, title, text):
    """The comparison's report.

    Args:
        found: from `run`.
        folder: of the report; pictures go into its figures/.
        title: of the first section.
        text: its paragraphs: budget, source.
    """
    seeds = len(next(iter(found.values())))
    text = [*text, f"Means ± deviations over {seeds} seeds." if seeds > 1 else "One seed."]
    tables = [_main(found), _latents(found)]
    parts = [Section(title, text=text, tables=tables), _distances(found)]
    return [*parts, _gamma_pictures(found, folder / "figures"), claims_section(found)]


def _main(found):
    body = []
    for name, results in found.items():
        metrics = [one for one, _ in results]
        roots = [m["mse"] ** 0.5 for m in metrics]
        cells = [over_seeds([m[key] for m in metrics]) for _, key in COLUMNS]
        body.append([name, *cells, over_seeds(roots)])
    return Table(["model", *(title for title, _ in COLUMNS), "root of mse"], body)


def _latents(found):
    names = [f"GEN-{stage}{ending}" for stage in (1, 2) for ending in ("", RENORMALIZED)]
    body = [
        [name]
        + [over_seeds([m["latent_variance"][key] for m, _ in results]) for key in names]
        + [over_seeds([m["second_stage"]["ratio"] for m, _ in results])]
        for name, results in found.items()
    ]
    columns = ["variance of generated latents", *names, "second stage: variance loss / mse"]
    return Table(columns, body)


def _distances(found):
    any_metrics = next(iter(found.values()))[0][0]
    labels = list(dict.fromkeys(row["label"] for row in any_metrics["distances"]))
    names = [name + ending for name in SETS for ending in ("", RENORMALIZED)]
    tables = []
    for label in labels:
        body = []
        for model, results in found.items():
            values = {
                name: [
                    row["value"]
                    for m, _ in results
                    for row in m["distances"]
                    if (row["set"], row["label"]) == (name, label)
                ]
                for name in names
            }
            body.append([model, *(over_seeds(values[name]) for name in names)])
        if any(cell is not None for row in body for cell in row[1:]):
            tables.append(Table([label, *names], body))
    notes = list(dict.fromkeys(row["warning"] for row in any_metrics["distances"]))
    text = [
        "Lower is better. GEN-1: one stage; GEN-2: two stages.",
        *map(sentence, filter(None, notes)),
    ]
    return Section("Distances", text=text, tables=tables)


def _gamma_pictures(found, figures):
    for quantity in ("gamma", "mse", "kl"):
        series, roots = {}, {}
        for name, results in found.items():
            records = results[0][1].records("stage_one")
            epochs = [record["epoch"] + 1 for record in records]
            series[name] = (epochs, [record[quantity] for record in records])
            if quantity == "gamma":
                root = [record["mse"] ** 0.5 for record in records]
                roots[name] = (f"{name}: root of the mse", epochs, root)
        file = figures / f"{quantity}.png"
        plots.curves(file, series, "epoch", quantity, log_y=True, dashed=roots)
    return Section(
        "Over time (first seed)",
        figures=[
            Figure("figures/gamma.png", "gamma and the root of the training mse"),
            Figure("figures/mse.png", "training mse"),
            Figure("figures/kl.png", "KL, nats per image"),
        ],
    )


def claims(found):
    """The papers' qualitative claims against these runs: rows of claim, measured, verdict.

    A claim about two means counts as reproduced if it holds for the means over seeds; how many
    seeds agree is told.
    """
    by_name = {name: [metrics for metrics, _ in results] for name, results in found.items()}
    computed = next((m for name, m in by_name.items() if name.startswith("computed gamma")), None)
    learned = next((m for name, m in by_name.items() if name.startswith("learned")), None)
    if computed is None:
        return []
    rows = []
    if learned is not None:
        pairs = [(a["mse"], b["mse"]) for a, b in zip(computed, learned, strict=True)]
        rows.append(_smaller("computed gamma reaches a lower mse than learned gamma", pairs))
    ratios = [m["variance_loss"] / m["mse"] for m in computed]
    rows.append(
        _row(
            "variance loss is about equal to the mse",
            f"ratio {over_seeds_text(ratios)}",
            0.8 < float(np.mean(ratios)) < 1.2,
        )
    )
    before = [m["latent_variance"]["GEN-2"] for m in computed]
    after = [m["latent_variance"][f"GEN-2{RENORMALIZED}"] for m in computed]
    rows.append(
        _row(
            "second-stage latents vary less than 1 before renormalisation",
            over_seeds_text(before),
            max(before) < 1,
        )
    )
    rows.append(
        _row(
            "and about 1 after it",
            over_seeds_text(after),
            abs(float(np.mean(after)) - 1) < 0.1,
        )
    )
    for name in ("GEN-1", "GEN-2"):
        pairs = [(distance(m, name + RENORMALIZED), distance(m, name)) for m in computed]
        if all(None not in pair for pair in pairs):
            rows.append(_smaller(f"renormalised latents bring {name} closer to real images", pairs))
    pairs = [
        (distance(m, f"GEN-2{RENORMALIZED}"), distance(m, f"GEN-1{RENORMALIZED}")) for m in computed
    ]
    if all(None not in pair for pair in pairs):
        rows.append(_smaller("two stages come closer than one", pairs))
    return rows


def _smaller(claim, pairs):
    left, right = (float(np.mean(side)) for side in zip(*pairs, strict=True))
    agree = sum(a < b for a, b in pairs)
    if all(a == b for a, b in pairs):  # such as GEN-1, whose latents have unit variance already
        return [claim, f"{show(left)} both times", "no difference"]
    measured = f"{show(left)} against {show(right)}; {agree} of {len(pairs)} seeds"
    return _row(claim, measured, left < right)


def _row(claim, measured, holds):
    return [claim, measured, "reproduced" if holds else "not reproduced"]


def over_seeds_text(values):
    """`over_seeds` as text."""
    return show(over_seeds(values))


def claims_section(found):
    """Each claim marked reproduced or not."""
    rows = claims(found)
    text = [
        "Checked on the computed gamma's rows, with the second table's latents and the last of the "
        "distances above. A reduced budget may fail a claim that a full training would meet."
    ]
    tables = [Table(["claim of the papers", "measured here", "verdict"], rows)] if rows else []
    return Section("Claims", text=text if rows else [], tables=tables)
