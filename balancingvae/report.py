"""Pictures and report of an evaluated run."""

import numpy as np

from balancingvae import presets, variance
from balancingvae.evaluate import (
    SEED,
    SETS,
    decoded_sets,
    generated_latents,
    measured_images,
    set_name,
)
from balancingvae.paper import published
from balancingvae.train import MEASURED_IMAGES
from vaekit.distributions import draw_posterior
from vaekit.images import to_uint8
from vaekit.reporting import plots
from vaekit.reporting.reports import Figure, Section, Table, sentence

PICTURES = 50
# All sets of images, as (name, whether renormalised).
ALL_SETS = tuple((name, renormalized) for name in SETS for renormalized in (False, True))


def draw(model, dataset, run, count=MEASURED_IMAGES):
    """Write grids of images, and curves of gamma and of the losses, into the run's figures.

    Args:
        model, dataset, run, count: the arguments of `evaluate.evaluate`.
    """
    real = measured_images(model, dataset, count)
    mean, log_var = model.encode(real)
    sampled = model.decode(draw_posterior(mean, log_var, SEED))
    latents = generated_latents(model, len(real))
    sets = decoded_sets(model, real, sampled, {name: z[:PICTURES] for name, z in latents.items()})
    # Pictures are spread over the test images, because some datasets are sorted.
    chosen = np.linspace(0, len(real) - 1, min(PICTURES, len(real))).astype(int)
    grids = {"originals": real[chosen]}
    for name, renormalized in ALL_SETS:
        images = sets[set_name(name, renormalized)]
        images = images[chosen] if name == "REC" else images[:PICTURES]
        grids[file_name(name, renormalized)] = images
    for name, images in grids.items():
        plots.image_grid(run.figures / f"{name}.png", to_uint8(images))
    for phase in ("stage_one", "stage_two"):
        records = run.records(phase)
        if records:
            draw_curves(records, phase, run.figures)
    sigma_squared = np.sort(variance.mean_sigma_squared(log_var))
    series = {"mean sigma^2": (np.arange(1, len(sigma_squared) + 1), sigma_squared)}
    plots.curves(run.figures / "sigma_squared.png", series, "latent, sorted", "mean over images")


def draw_curves(records, phase, folder):
    """Draw curves over epochs: gamma with the root of the mse, and the KL."""
    epochs = [record["epoch"] + 1 for record in records]
    gamma = [record["gamma"] for record in records]
    root = [record["mse"] ** 0.5 for record in records]
    series = {"gamma": (epochs, gamma), "root of the training mse": (epochs, root)}
    plots.curves(folder / f"{phase}_gamma.png", series, "epoch", "unit of x", log_y=True)
    series = {"KL": (epochs, [record["kl"] for record in records])}
    plots.curves(folder / f"{phase}_kl.png", series, "epoch", "nats per image")


def file_name(name, renormalized):
    """File stem of a set's grid: "gen_1_renormalised" for "GEN-1", True."""
    return name.lower().replace("-", "_") + ("_renormalised" if renormalized else "")


def main_table(all_metrics):
    """One row per run: the quantities of the papers' tables, without distances."""
    columns = ["model", "seed", "epochs", "mse", "variance loss", "KL", "gamma", "variance law"]
    columns += ["inactive", "latent var", "renormalised"]
    rows = []
    for m in all_metrics:
        epochs = f"{m['epochs']['stage_one']} + {m['epochs']['stage_two']}"
        name = m["config"]["name"] + (", reduced" if reduction(m) else "")
        row = [name, m["config"]["seed"], epochs, m["mse"], m["variance_loss"]]
        row += [m["kl"], m["gamma"], m["variance_law"], m["inactive"]]
        found = m["latent_variance"]
        rows.append([*row, found["GEN-2"], found[set_name("GEN-2", True)]])
    return Table(columns, rows)


def reduction(metrics):
    """How a run's budget falls short of that of its preset, in words; "" if it does not.

    Args:
        metrics: result of `evaluate`.
    """
    found = presets.shortfall(metrics["config"])
    if metrics.get("reduced_images"):
        found.append(f"{metrics['training_images']:,} training images, not all")
    return ", ".join(found)


def sections(metrics, run, relative, source):
    """The sections of the report on one run.

    Args:
        metrics: result of `evaluate`.
        run: its `Run`.
        relative: function from the path of a picture to its path relative to the report.
        source: where the data are from, in words.
    """
    config, epochs = metrics["config"], metrics["epochs"]
    reduced = reduction(metrics)
    label = f"Reduced budget; this is a trial, not a result: {reduced}." if reduced else ""
    summary = Section(
        "Two-stage VAE" + (" (reduced budget)" if reduced else ""),
        text=[
            *([label] if reduced else []),
            f"{metrics['training_images']} training images, {epochs['stage_one']} + "
            f"{epochs['stage_two']} epochs of the two stages, {config['latent_dim']} latents; "
            f"measured on {metrics['test_images']} test images. Errors are those of pixels in "
            "[0, 1], and the KL is in nats per image; gamma is the standard deviation of the "
            "decoder's noise. Reconstructions are decoded from one sample of the posterior.",
            f"Data: {source}.",
        ],
        tables=[main_table([metrics]), _definitions_table(metrics)],
    )
    found = [_distances_section(metrics), _pictures(run, relative), _training(run, relative)]
    return [summary, *found]


def _definitions_table(metrics):
    two = metrics["second_stage"]
    rows = [
        ["variance law", metrics["variance_law"], metrics["original_variance_law"]],
        ["inactive latents", metrics["inactive"], metrics["original_inactive"]],
        ["mse of reconstructions", metrics["mse"], metrics["mse_renormalized"]],
        ["mse from posterior means", metrics["mse_from_mean"], None],
        ["variance loss from posterior means", metrics["variance_loss_from_mean"], None],
        ["second stage: mse of latents", None, two["mse"]],
        ["second stage: variance loss / mse", None, two["ratio"]],
        ["latents renormalised to", None, metrics["latent_std"] or "left alone"],
    ]
    columns = ["quantity", "papers' definition", "published code's"]
    return Table(columns, rows)


def _distances_section(metrics):
    rows = metrics["distances"]
    labels = list(dict.fromkeys(row["label"] for row in rows))
    values = {(row["set"], row["label"]): row["value"] for row in rows}
    stds, variances = metrics["pixel_std"], metrics["latent_variance"]
    names = [set_name(*one) for one in ALL_SETS]
    body = [
        [name, *(values.get((name, label)) for label in labels), stds[name], variances.get(name)]
        for name in names
    ]
    body.append(["real images", *(None for _ in labels), stds["real"], None])
    columns = ["set", *labels, "pixel std", "latent variance"]
    notes = list(dict.fromkeys(row["warning"] for row in rows if row["warning"]))
    section = Section(
        "Reconstructed and generated images",
        text=[
            "GEN-1: z from N(0, I); GEN-2: z from the second stage; lower distances are better. "
            "Renormalised: for REC the pixels are scaled to the deviation of real images, for GEN "
            "the latents are scaled.",
            *map(sentence, notes),
        ],
        tables=[Table(columns, body)],
    )
    theirs = published.FID.get(metrics["config"]["dataset"])
    if theirs:
        section.text.append(f"Published FIDs ({published.PAPER}) of full trainings, and ours:")
        ours = _own_fids(metrics, values)
        section.tables.append(Table(["model", *SETS], [*(list(row) for row in theirs), *ours]))
    return section


def _own_fids(metrics, values):
    """Our rows below the published ones; "not computed" without the Inception network."""
    title = "measured here" + (", reduced budget" if reduction(metrics) else "")
    fids = {name: v for (name, label), v in values.items() if "FID" in label and v is not None}
    return [
        [title + more, *(fids.get(set_name(name, renormalized), "not computed") for name in SETS)]
        for renormalized, more in ((False, ""), (True, ", with normalization"))
    ]


def _pictures(run, relative):
    captions = {
        "originals": "Test images",
        "rec": "Their reconstructions (sampled z)",
        "rec_renormalised": "Reconstructions with renormalised pixels",
        "gen_1": "GEN-1: z from the prior",
        "gen_1_renormalised": "GEN-1, latents renormalised",
        "gen_2": "GEN-2: z from the second stage",
        "gen_2_renormalised": "GEN-2, latents renormalised (the same draws)",
    }
    return Section("Pictures", figures=_figures(run, relative, captions))


def _training(run, relative):
    captions = {
        "stage_one_gamma": "Stage one: gamma and the root of the training mse",
        "stage_one_kl": "Stage one: KL",
        "stage_two_gamma": "Stage two: gamma and the root of the training mse of latents",
        "stage_two_kl": "Stage two: KL",
        "sigma_squared": "Mean sigma^2 of each latent on test images; inactive ones are near 1",
    }
    return Section("Training", figures=_figures(run, relative, captions))


def _figures(run, relative, captions):
    paths = ((run.figures / f"{name}.png", caption) for name, caption in captions.items())
    return [Figure(relative(path), caption) for path, caption in paths if path.exists()]
