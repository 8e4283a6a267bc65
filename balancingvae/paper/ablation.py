"""Every reading of renormalisation on one trained model: a table, and the same seeds side by side.

Asperti, "Variance Loss in Variational Autoencoders", LOD 2020, Tables 1 and 2 and Figure 6.
"""

import numpy as np

from balancingvae import evaluate, measures, renormalization, train
from balancingvae.renormalization import ImageRule, LatentRule
from balancingvae.train import sampled_reconstruction
from vaekit.images import check_images
from vaekit.reporting import plots
from vaekit.reporting.reports import Figure, Section, Table, show

REFERENCE = 10_000  # latents behind the statistics "reference"
SEED, REFERENCE_SEED = 0, 1
PAIRS = 10  # pairs of images in a row of Figure 6

LATENT_RULES = (
    renormalization.ORIGINAL,
    LatentRule("original_law"),
    LatentRule("law"),
    LatentRule("unit"),
    LatentRule("law", "scalar", "reference"),
    LatentRule("unit", "scalar", "reference"),
    LatentRule("law", "per_dimension"),
    LatentRule("unit", "per_dimension"),
    LatentRule("law", "per_dimension", "reference"),
    LatentRule("unit", "per_dimension", "reference"),
)
IMAGE_RULES = (
    ImageRule("none"),
    ImageRule("reconstructions", "train"),
    ImageRule("reconstructions", "test"),
    ImageRule("all", "train"),
    ImageRule("all", "test"),
)


def ablate(model, dataset, settings, count):
    """Measure every rule on one model.

    Args:
        model: a trained `TwoStageVAE`.
        dataset: its `vaekit.datasets.Dataset`; the first `count` test images are measured.
        settings: `vaekit.fid.Settings`.
        count: test images, and generated images of each kind.
    Returns:
        (figures, pictures): dict of `ratio`, `latents` and `images` (lists of rows), and dict of
        name -> images for `figure_6`.
    """
    test = dataset.test[:count]
    mean, log_var = model.encode(test)
    mean_hat = sampled_reconstruction(model.stage_two, mean, SEED)
    ratio = measures.second_stage_figures(mean, mean_hat)["ratio"]
    raw = {stage: model.generate_latents(count, stage, False, SEED) for stage in (1, 2)}
    reference = {1: np.ones(model.latent_dim), 2: reference_std(model)}
    plain = {f"GEN-{stage}": model.decode(z) for stage, z in raw.items()}
    none = {f"GEN-{stage}": measures.mean_variance(z) for stage, z in raw.items()}
    rows = [{"rule": "none", "before": none, "after": none, "distances": plain}]
    for rule in LATENT_RULES:
        target = renormalization.target_std(mean, log_var, rule)
        touched = renormalization.applies(rule, ratio)
        after, images = dict(none), dict(plain)
        for stage, z in raw.items() if touched else ():
            # GEN-1 comes from N(0, I): its deviation is known, as in the published code.
            scaled = z * target
            if stage == 2:
                scaled = renormalization.renormalized(z, target, rule, reference[2])
            name = f"GEN-{stage}"
            after[name], images[name] = measures.mean_variance(scaled), model.decode(scaled)
        rows.append({"rule": rule.name, "before": none, "after": after, "distances": images})
    unit = next(row for row in rows if row["rule"] == LatentRule("unit").name)
    pictures = {"GEN-2": plain["GEN-2"], "GEN-2 renormalised": unit["distances"]["GEN-2"]}
    for row in rows:
        row["distances"] = _values(dataset, row["distances"], settings)
    moved = _image_rows(model, dataset, pictures["GEN-2 renormalised"], plain, settings, count)
    return {"ratio": ratio, "latents": rows, "images": moved}, pictures


def reference_std(model, count=REFERENCE):
    """Deviation of each second-stage latent over a large sample, `(latent_dim,)`."""
    return np.std(model.generate_latents(count, 2, False, REFERENCE_SEED), axis=0)


def _image_rows(model, dataset, generated, plain, settings, count):
    real = check_images(train.prepare(dataset).test[:count], model.image_shape)
    sampled = sampled_reconstruction(model.stage_one, real, SEED)
    sets = {"REC": sampled, "GEN-1": plain["GEN-1"], "GEN-2": generated}
    splits = {"test": real}
    splits["train"] = check_images(train.prepare(dataset).train[: max(count, 1)], model.image_shape)
    rows = []
    for rule in IMAGE_RULES:
        found = {
            name: renormalization.moved(images, splits[rule.split], name, rule)
            for name, images in sets.items()
        }
        rows.append(
            {
                "rule": rule.images if rule.images == "none" else f"{rule.images}, {rule.split}",
                "mse": measures.squared(real, found["REC"]),
                "pixel_std": {
                    n: float(renormalization.mean_pixel_std(x)) for n, x in found.items()
                },
                "distances": _values(dataset, found, settings),
            }
        )
    return rows


def _values(dataset, sets, settings):
    """dict of label -> dict of set -> distance."""
    found = {}
    for row in evaluate.distances(dataset, sets, settings):
        if row["value"] is not None:
            found.setdefault(row["label"], {})[row["set"]] = row["value"]
    return found


def figure_6(folder, pictures):
    """Write the grid of generated images: with and without renormalised latents, same seeds."""
    left, right = pictures["GEN-2"], pictures["GEN-2 renormalised"]
    rows = min(5, len(left) // PAIRS)
    grid = []
    for row in range(rows):
        part = slice(row * PAIRS, (row + 1) * PAIRS)
        grid += [left[part], right[part]]
    if grid:
        plots.image_grid(folder / "renormalised.png", np.concatenate(grid), columns=PAIRS)


def _closest(rows, label, name):
    """The rule whose images of a set come closest, in words."""
    values = {row["rule"]: row["distances"].get(label, {}).get(name) for row in rows}
    if any(value is None for value in values.values()):
        return f"{name}, {label}: not computed."
    best = min(values, key=values.get)
    return (
        f"{name}, {label}: closest by the rule {best}, {show(values[best])} against "
        f"{show(values['none'])} without one."
    )


def sections(figures, folder, budget):
    """The report of one model's ablation; `figure_6` has written its picture into `folder`."""
    labels = list(dict.fromkeys(label for row in figures["images"] for label in row["distances"]))
    distances = [(label, name) for label in labels for name in ("GEN-1", "GEN-2")]
    latents = [
        [row["rule"]]
        + [row[when][name] for name in ("GEN-1", "GEN-2") for when in ("before", "after")]
        + [row["distances"].get(label, {}).get(name) for label, name in distances]
        for row in figures["latents"]
    ]
    variances = [
        f"variance of {name} latents, {when}"
        for name in ("GEN-1", "GEN-2")
        for when in ("before", "after")
    ]
    image_columns = [(label, name) for label in labels for name in evaluate.SETS]
    images = [
        [row["rule"], row["mse"]]
        + [row["pixel_std"][name] for name in evaluate.SETS]
        + [row["distances"].get(label, {}).get(name) for label, name in image_columns]
        for row in figures["images"]
    ]
    ratio = figures["ratio"]
    says = "renormalises" if ratio > renormalization.RATIO_THRESHOLD else "leaves latents alone"
    return [
        Section(
            "Latents",
            text=[
                budget,
                "Rows name target, factor and statistics: the target is 1 (unit) or the root of "
                "the variance law, with sigma squared (law) or sigma as the published code has it "
                "(original law); one factor for all latents or one for each; deviations of each "
                f"batch of {renormalization.GENERATED_BATCH} or of {REFERENCE:,} other samples. The "
                f"published rule's ratio, variance loss / mse of the second stage, is {ratio:.3f}: "
                f"above {renormalization.RATIO_THRESHOLD:g} it renormalises, so here it {says}.",
                *(_closest(figures["latents"], *one) for one in distances),
            ],
            tables=[
                Table(
                    ["rule", *variances, *(f"{name}, {label}" for label, name in distances)],
                    latents,
                )
            ],
        ),
        Section(
            "Pixels",
            text=[
                "Which images have their pixels moved away from the mean image, to the deviation "
                "of real images of which split; GEN-2 with latents renormalised to 1."
            ],
            tables=[
                Table(
                    ["rule", "mse of REC"]
                    + [f"pixel deviation of {name}" for name in evaluate.SETS]
                    + [f"{name}, {label}" for label, name in image_columns],
                    images,
                )
            ],
        ),
        Section(
            "The same seeds (after the paper's Figure 6)",
            figures=[
                Figure(
                    f"{folder.name}/renormalised.png",
                    "Pairs of rows: GEN-2 as generated, and below with latents renormalised to 1",
                )
            ],
        ),
    ]
