"""Pictures of a trained model, and the sections of a report on runs of one dataset."""

import numpy as np

from vaekit import files
from vaekit.reporting import plots
from vaekit.reporting.reports import Figure, Section, Table
from vampprior import evaluate

PICTURES = 50
PRIOR_NAMES = {
    "standard": "standard Gaussian",
    "vampprior": "VampPrior",
    "vampprior_data": "VampPrior-data",
    "mixture": "mixture of Gaussians",
}


def draw(model, data, folder):
    """Write data, reconstructions, samples and pseudo-inputs as PNG grids into `folder`."""
    binary = model.likelihood.binary
    originals, examples = _spread(data.test), _spread(data.train)
    # Training images are shown before binarisation.
    grey = model.likelihood.dynamic_binarization or not binary
    plots.image_grid(folder / "examples.png", examples * np.uint8(1 if grey else 255))
    plots.image_grid(folder / "originals.png", originals * np.uint8(255 if binary else 1))
    plots.image_grid(folder / "reconstructions.png", model.reconstruct(originals))
    plots.image_grid(folder / "samples.png", model.sample(PICTURES, seed=evaluate.SEED))
    if model.pseudo_inputs is not None:
        plots.image_grid(folder / "pseudo_inputs.png", model.pseudo_inputs[:PICTURES])


def _spread(images):
    # Not the first ones, because those of static MNIST are sorted by digit.
    return images[np.linspace(0, len(images) - 1, min(PICTURES, len(images))).astype(int)]


def metrics_table(all_metrics):
    """One row per run: the bound, its parts, and each log-likelihood with its standard error."""
    counts = sorted({int(s) for m in all_metrics for s in m["log_likelihood"]})
    columns = ["prior", "seed", "epochs", "components used", "reconstruction", "KL", "ELBO"]
    columns += [c for s in counts for c in (f"log p(x), S={s}", "s.e.")]
    rows = []
    for metrics in all_metrics:
        row = [PRIOR_NAMES[metrics["config"]["prior"]], metrics["config"]["seed"]]
        row += [metrics["epochs"], components_text([metrics])]
        row += [metrics[name] for name in ("reconstruction", "kl", "elbo")]
        for samples in counts:
            found = metrics["log_likelihood"].get(str(samples), {})
            row += [found.get("mean"), found.get("standard_error")]
        rows.append(row)
    return Table(columns, rows)


def components_text(all_metrics):
    """How many components runs of one configuration use: "59 of 64", or "57-61 of 64" for several.

    The text is empty without a mixture, or if a run of an earlier version did not count them.
    """
    used = [metrics.get("effective_components") for metrics in all_metrics]
    if None in used:
        return ""
    ends = dict.fromkeys(f"{value:.0f}" for value in (min(used), max(used)))
    return f"{'-'.join(ends)} of {all_metrics[0]['config']['num_pseudo_inputs']}"


def sections(all_metrics, runs, folder, relative):
    """The sections of a report on several runs of one dataset.

    Args:
        all_metrics: list of the metrics of each run, from `evaluate`.
        runs: list of their `Run`s.
        folder: folder of the report, for pictures of several runs.
        relative: function from the path of a picture to its path relative to the report.
    """
    test_images = all_metrics[0]["test_images"]
    summary = Section(
        "Log-likelihood by prior",
        text=[
            f"Means over {test_images} test images, in nats per image; higher is better. ELBO = "
            "reconstruction - KL, with one sample of z. log p(x) is estimated by importance "
            'sampling with S samples; "s.e." is its standard error over images. "Components used" '
            "is the perplexity of the mixture's mean responsibilities for the z of the test images."
        ],
        tables=[metrics_table(all_metrics)],
    )
    results = list(zip(all_metrics, runs, strict=True))
    drawn = folder / "log_likelihood_histogram.png"
    histogram([(metrics, run.directory) for metrics, run in results], drawn)
    summary.figures += [
        Figure(relative(runs[0].figures / "examples.png"), "Training images"),
        Figure(relative(drawn), "log p(x) of each test image"),
    ]
    return [summary, *(_pictures(metrics, run, relative) for metrics, run in results)]


def histogram(results, path):
    """Draw a histogram of log p(x) over test images, for the largest S of each run.

    KTH report, Figure 6.

    Args:
        results: list of (metrics, run directory).
        path: the PNG file.
    """
    series = {}
    for metrics, directory in results:
        values = files.load_npz(directory / evaluate.PER_IMAGE)
        most = max(values, key=int)
        label = f"{PRIOR_NAMES[metrics['config']['prior']]}, seed {metrics['config']['seed']}"
        series[f"{label} (S={most})"] = values[most]
    plots.histogram(path, series, "log p(x), nats per image")


def _pictures(metrics, run, relative):
    captions = {
        "originals": "Test images",
        "reconstructions": "Their reconstructions",
        "samples": "Samples: pixel means for z drawn from the prior",
        "pseudo_inputs": "The first pseudo-inputs",
    }
    title = f"{PRIOR_NAMES[metrics['config']['prior']]}, seed {metrics['config']['seed']}"
    figures = [
        Figure(relative(run.figures / f"{name}.png"), caption)
        for name, caption in captions.items()
        if (run.figures / f"{name}.png").exists()
    ]
    return Section(title, figures=figures)
