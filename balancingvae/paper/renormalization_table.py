"""Every reading of renormalisation on one trained model, and the same seeds side by side.

Asperti, "Variance Loss in Variational Autoencoders", LOD 2020, Tables 1 and 2 and Figure 6.
`python -m balancingvae renormalization DIRECTORY` writes the report.
"""

import dataclasses
from pathlib import Path

import numpy as np

from balancingvae import checkpoint, evaluate, measures, renormalization, train
from balancingvae.paper import runner
from balancingvae.renormalization import ImageRule, LatentRule
from balancingvae.run import load_dataset, show_report, unit_images
from vaekit.release import shelf
from vaekit.reporting import plots, reports
from vaekit.reporting.reports import Figure, Section, Table, show

REFERENCE = 10_000  # latents behind the statistics "reference"
SEED, REFERENCE_SEED = 0, 1
PAIRS = 10  # pairs of images in a row of Figure 6
GENERATED = {1: "GEN-1", 2: "GEN-2"}  # by stage

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


@dataclasses.dataclass(frozen=True)
class LatentRow:
    """Generated latents under one rule; dicts have the keys "GEN-1" and "GEN-2".

    Attributes:
        rule: a `LatentRule`, or None for latents as generated.
        before, after: mean variance of the latents before and after the rule.
        distances: dict of label -> dict of set -> distance.
    """

    rule: LatentRule | None
    before: dict
    after: dict
    distances: dict

    @property
    def name(self):
        """The rule in words."""
        return "none" if self.rule is None else self.rule.name


@dataclasses.dataclass(frozen=True)
class ImageRow:
    """Images under one rule for their pixels; `pixel_std` and `distances` by set.

    Attributes:
        rule: an `ImageRule`.
        mse: of the reconstructions after the rule.
        pixel_std: mean deviation of the pixels of every set.
        distances: dict of label -> dict of set -> distance.
    """

    rule: ImageRule
    mse: float
    pixel_std: dict
    distances: dict

    @property
    def name(self):
        """The rule in words."""
        images = self.rule.images
        return images if images == "none" else f"{images}, {self.rule.split}"


@dataclasses.dataclass(frozen=True)
class Ablation:
    """The results of one model under every rule.

    Attributes:
        ratio: variance loss / mse of the second stage, on which the published rule depends.
        latents: list of `LatentRow`; the first one has no rule.
        images: list of `ImageRow`.
        plain, renormalised: images of GEN-2 as generated, and with latents renormalised to 1.
    """

    ratio: float
    latents: list
    images: list
    plain: np.ndarray
    renormalised: np.ndarray


def study(directory, options, report=None):
    """Measure every rule on a run or released checkpoint; write the report, print its tables.

    Args:
        directory: run directory or released name.
        options: `run.Options`.
        report: folder; None for `reports/renormalization/<preset>`.
    """
    runner.quiet()
    directory = shelf.resolve(directory, checkpoint.PACKAGE)
    config, model = checkpoint.read_config(directory), checkpoint.load(directory)
    dataset = load_dataset(config, options)
    count = min(len(dataset.test), train.MEASURED_IMAGES)
    found = ablate(model, dataset, options.settings, count)
    place = Path(report or f"reports/renormalization/{config.name}")
    text = f"{directory}: {config.dataset}, {count:,} test and generated images of each kind."
    parts = sections(found, place / "figures", text)
    page = reports.write_report(place, f"Renormalisation: {config.name}", parts)
    show_report(page, [section.tables[0] for section in parts[:2]])


def ablate(model, dataset, settings, count):
    """The `Ablation` of a trained `TwoStageVAE`.

    Args:
        model, dataset: the model and its dataset; the first `count` test images are measured.
        settings: `vaekit.fid.Settings`.
        count: number of test images, and of generated images of each kind.
    """
    real = unit_images(dataset.test[:count])
    mean, log_var = model.encode(real)
    mean_hat = train.sampled_reconstruction(model.stage_two, mean, SEED)
    ratio = measures.second_stage_figures(mean, mean_hat)["ratio"]
    raw = {stage: model.generate_latents(count, stage, False, SEED) for stage in GENERATED}
    reference = reference_std(model)
    before = {GENERATED[stage]: measures.mean_variance(z) for stage, z in raw.items()}
    plain = {GENERATED[stage]: model.decode(z) for stage, z in raw.items()}
    rows = [LatentRow(None, before, before, _distances(dataset, plain, settings))]
    for rule in LATENT_RULES:
        after, images = before, plain
        if renormalization.applies(rule, ratio):
            target = renormalization.target_std(mean, log_var, rule)
            scaled = {
                # GEN-1 is drawn from N(0, I), so its deviation is known, as in the published code.
                "GEN-1": renormalization.prior_latents(raw[1], target),
                "GEN-2": renormalization.renormalized(raw[2], target, rule, reference),
            }
            after = {name: measures.mean_variance(z) for name, z in scaled.items()}
            images = {name: model.decode(z) for name, z in scaled.items()}
        rows.append(LatentRow(rule, before, after, _distances(dataset, images, settings)))
    renormalised = model.decode(renormalization.renormalized_latents(raw[2], 1.0))
    sets = {
        "REC": train.sampled_reconstruction(model.stage_one, real, SEED),
        "GEN-1": plain["GEN-1"],
        "GEN-2": renormalised,
    }
    images = image_rows(dataset, real, sets, settings)
    return Ablation(ratio, rows, images, plain["GEN-2"], renormalised)


def reference_std(model, count=REFERENCE):
    """Deviation of each second-stage latent over a large sample, `(latent_dim,)`."""
    return np.std(model.generate_latents(count, 2, False, REFERENCE_SEED), axis=0)


def image_rows(dataset, real, sets, settings):
    """A list of `ImageRow`, one for each of `IMAGE_RULES`.

    Args:
        dataset: the `vaekit.datasets.Dataset`.
        real: its test images in [0, 1]; the split "train" is as many training images.
        sets: dict of set -> images in [0, 1].
        settings: `vaekit.fid.Settings`.
    """
    splits = {"test": real, "train": unit_images(dataset.train[: len(real)])}
    rows = []
    for rule in IMAGE_RULES:
        moved = {
            name: renormalization.moved(images, splits[rule.split], name, rule)
            for name, images in sets.items()
        }
        rows.append(
            ImageRow(
                rule,
                mse=measures.squared(real, moved["REC"]),
                pixel_std={n: float(renormalization.mean_pixel_std(x)) for n, x in moved.items()},
                distances=_distances(dataset, moved, settings),
            )
        )
    return rows


def _distances(dataset, sets, settings):
    """dict of label -> dict of set -> distance."""
    found = {}
    for row in evaluate.distances(dataset, sets, settings):
        if row["value"] is not None:
            found.setdefault(row["label"], {})[row["set"]] = row["value"]
    return found


def figure_6(path, plain, renormalised):
    """Write a grid of generated images in pairs of rows: as generated, and renormalised below.

    Args:
        path: of the PNG file.
        plain, renormalised: images from the same seeds.
    """
    count = min(5, len(plain) // PAIRS) * PAIRS
    shape = (-1, PAIRS, *plain.shape[1:])
    rows = np.stack([plain[:count].reshape(shape), renormalised[:count].reshape(shape)], axis=1)
    if count:
        plots.image_grid(path, rows.reshape(-1, *plain.shape[1:]), columns=PAIRS)


def sections(found, figures, budget):
    """The report's sections.

    Args:
        found: an `Ablation`.
        figures: folder of the picture.
        budget: what was measured, in words.
    """
    figure_6(figures / "renormalised.png", found.plain, found.renormalised)
    labels = list(dict.fromkeys(label for row in found.images for label in row.distances))
    picture = Figure(
        f"{figures.name}/renormalised.png",
        "Pairs of rows: GEN-2 as generated, and below it with latents renormalised to 1",
    )
    return [
        _latents(found, labels, budget),
        _pixels(found.images, labels),
        Section("The same seeds (after the paper's Figure 6)", figures=[picture]),
    ]


def _latents(found, labels, budget):
    distances = [(label, name) for label in labels for name in GENERATED.values()]
    body = []
    for row in found.latents:
        variances = [when[name] for name in GENERATED.values() for when in (row.before, row.after)]
        body.append([row.name, *variances, *_cells(row, distances)])
    says = "leaves the latents alone"
    if renormalization.applies(renormalization.ORIGINAL, found.ratio):
        says = "renormalises them"
    text = (
        "Each row names a target, a factor and a source of statistics. The target is 1 (unit), or "
        "the root of the variance law with sigma squared (law) or with sigma as in the published "
        "code (original law). There is one factor for all latents (scalar) or one for each (per "
        f"dimension). The deviations are those of each batch of {renormalization.GENERATED_BATCH} "
        f"(batch) or of {REFERENCE:,} other samples (reference). The published rule renormalises "
        f"if variance loss / mse of the second stage is above {renormalization.RATIO_THRESHOLD:g}. "
        f"Here this ratio is {found.ratio:.3f}, so the rule {says}."
    )
    columns = ["rule"]
    for name in GENERATED.values():
        columns += [f"variance of {name} latents, {when}" for when in ("before", "after")]
    columns += [f"{name}, {label}" for label, name in distances]
    closest = [_closest(found.latents, *one) for one in distances]
    return Section("Latents", text=[budget, text, *closest], tables=[Table(columns, body)])


def _closest(rows, label, name):
    """The rule whose images of a set are closest to real images, in words."""
    values = {row.name: row.distances.get(label, {}).get(name) for row in rows}
    if any(value is None for value in values.values()):
        return f"{name}, {label}: not computed."
    best = min(values, key=values.get)
    return (
        f"{name}, {label}: the closest rule is {best}, with {show(values[best])} against "
        f"{show(values['none'])} without one."
    )


def _pixels(rows, labels):
    sets = evaluate.SETS
    distances = [(label, name) for label in labels for name in sets]
    body = [
        [row.name, row.mse, *(row.pixel_std[name] for name in sets), *_cells(row, distances)]
        for row in rows
    ]
    columns = ["rule", "mse of REC", *(f"pixel deviation of {name}" for name in sets)]
    columns += [f"{name}, {label}" for label, name in distances]
    text = (
        "Each row names the images whose pixels are moved away from the mean image, and the split "
        "of real images whose deviation they get. The latents of GEN-2 are renormalised to 1."
    )
    return Section("Pixels", text=[text], tables=[Table(columns, body)])


def _cells(row, distances):
    """Distances of a row, for pairs of label and set."""
    return [row.distances.get(label, {}).get(name) for label, name in distances]
