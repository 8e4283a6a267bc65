"""Score a trained model on test images, and draw what there is to see."""

import math
import time

import numpy as np

from vaekit import files
from vaekit.reporting import plots
from vaekit.reporting.reports import Figure, Section, Table
from vampprior.importance import mean_and_standard_error
from vampprior.priors import effective_components

SEED = 0  # of every evaluation's noise and samples
PICTURES = 50
METRICS = "evaluation.json"
PER_IMAGE = "log_likelihood.npz"
PRIOR_NAMES = {
    "standard": "standard Gaussian",
    "vampprior": "VampPrior",
    "vampprior_data": "VampPrior-data",
    "mixture": "mixture of Gaussians",
}


def evaluate(model, data, run, num_samples, memory_mib, progress=True):
    """Bound, log-likelihoods and pictures of a trained model, written into its run directory.

    Args:
        model: a trained `VAE`.
        data: `train.Data`; its test images are scored.
        run: the `vaekit.runs.Run` of the model.
        num_samples: the numbers S of importance samples, one estimate for each.
        memory_mib: memory for the log-likelihood's activations.
        progress: whether to show bars.
    Returns:
        The metrics, as evaluation.json holds them: nats per image unless named otherwise.
    """
    records = run.records("training")
    metrics = {
        "config": run.config["config"],
        "test_images": len(data.test),
        "epochs": len(records),
        "training_seconds": sum(record["seconds"] for record in records),
        **_bound(model, data.test),
        "effective_components": components_in_use(model, data.test),
        "log_likelihood": {},
    }
    values = {}
    for samples in num_samples:
        began = time.monotonic()
        values[str(samples)] = model.log_likelihood(
            data.test,
            samples,
            seed=SEED,
            memory_mib=memory_mib,
            progress=progress,
            partial_path=run.directory / "last" / f"log_likelihood_{samples}.npz",
        )
        mean, error = mean_and_standard_error(values[str(samples)])
        metrics["log_likelihood"][str(samples)] = {
            "mean": mean,
            "standard_error": error,
            "bits_per_dimension": bits_per_dimension(mean, model.image_shape),
            "seconds": time.monotonic() - began,
        }
    most = max(metrics["log_likelihood"], key=int)
    score = metrics["log_likelihood"][most]
    metrics["headline"] = (
        f"log p(x) {score['mean']:.2f} ± {score['standard_error']:.2f} nats (S={most}), "
        f"ELBO {metrics['elbo']:.2f}"
    )
    previous = run.directory / METRICS
    if previous.exists():  # a reused estimate keeps the time that it took when it was made
        _keep_seconds(metrics, files.read_json(previous))
    files.save_npz(run.directory / PER_IMAGE, values)
    draw(model, data, run.figures)
    files.write_json(previous, metrics)
    return metrics


def bits_per_dimension(log_likelihood, image_shape):
    """-log2 p(x) per pixel value from nats per image."""
    return -log_likelihood / (math.log(2) * math.prod(image_shape))


def _bound(model, images):
    reconstruction, kl = model.elbo_terms(images, seed=SEED)
    mean, error = mean_and_standard_error(reconstruction - kl)
    return {
        "elbo": mean,
        "elbo_standard_error": error,
        "reconstruction": float(reconstruction.mean(dtype=np.float64)),
        "kl": float(kl.mean(dtype=np.float64)),
    }


def components_in_use(model, images):
    """`priors.effective_components` of one posterior sample per image; None without a mixture."""
    if model.config.prior == "standard":
        return None
    mean, log_var = model.encode(images)
    noise = np.random.default_rng(SEED).standard_normal(mean.shape, dtype=np.float32)
    return effective_components(model.prior.responsibilities(mean + np.exp(log_var / 2) * noise))


def _keep_seconds(metrics, previous):
    for samples, found in previous.get("log_likelihood", {}).items():
        now = metrics["log_likelihood"].get(samples)
        if now and now["mean"] == found.get("mean"):
            now["seconds"] = found["seconds"]


def draw(model, data, folder):
    """Write data, reconstructions, samples and pseudo-inputs as PNG grids into `folder`."""
    binary = model.likelihood.name == "bernoulli"
    originals, examples = _spread(data.test), _spread(data.train)
    grey = (
        model.config.dynamic_binarization or not binary
    )  # training images, as the dataset has them
    plots.image_grid(folder / "examples.png", examples * np.uint8(1 if grey else 255))
    plots.image_grid(folder / "originals.png", originals * np.uint8(255 if binary else 1))
    plots.image_grid(folder / "reconstructions.png", model.reconstruct(originals))
    plots.image_grid(folder / "samples.png", model.sample(PICTURES, seed=SEED))
    if model.pseudo_inputs is not None:
        plots.image_grid(folder / "pseudo_inputs.png", model.pseudo_inputs[:PICTURES])


def _spread(images):
    # Not the first ones: static MNIST's are sorted by digit.
    return images[np.linspace(0, len(images) - 1, min(PICTURES, len(images))).astype(int)]


def metrics_table(all_metrics):
    """One row per run: the bound in its parts and each log-likelihood with its standard error."""
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
    """Components that runs of one configuration use: "59 of 64", "57-61 of 64" over several runs;
    empty without a mixture, or where a run of an earlier version did not count them."""
    used = [metrics.get("effective_components") for metrics in all_metrics]
    if None in used:
        return ""
    ends = dict.fromkeys(f"{value:.0f}" for value in (min(used), max(used)))
    return f"{'-'.join(ends)} of {all_metrics[0]['config']['num_pseudo_inputs']}"


def sections(all_metrics, runs, folder, relative):
    """The report's sections on several runs of one dataset.

    Args:
        all_metrics: of each run, from `evaluate`.
        runs: their `Run`s.
        folder: the report's folder, for the pictures that join several runs.
        relative: function from a picture's path to its path as seen from the report.
    """
    test_images = all_metrics[0]["test_images"]
    summary = Section(
        "Log-likelihood by prior",
        text=[
            f"Means over {test_images} test images, nats per image; higher is better. ELBO = "
            "reconstruction - KL, with one sample of z. log p(x) by importance sampling with S "
            "samples, with its standard error over images. Components used: perplexity of the "
            "mixture's mean responsibilities for the test images' z."
        ],
        tables=[metrics_table(all_metrics)],
    )
    results = list(zip(all_metrics, runs, strict=True))
    drawn = folder / "log_likelihood_histogram.png"
    histogram([(metrics, run.directory) for metrics, run in results], drawn)
    summary.figures += [
        Figure(relative(runs[0].figures / "examples.png"), "Training images"),
        Figure(relative(drawn), "log p(x) of the single test images"),
    ]
    return [summary, *(_pictures(metrics, run, relative) for metrics, run in results)]


def histogram(results, path):
    """Draw log p(x) of the single test images, each run at its most samples (KTH report, Figure 6).

    Args:
        results: list of (metrics, run directory).
        path: the PNG file.
    """
    series = {}
    for metrics, directory in results:
        values = files.load_npz(directory / PER_IMAGE)
        most = max(values, key=int)
        label = f"{PRIOR_NAMES[metrics['config']['prior']]}, seed {metrics['config']['seed']}"
        series[f"{label} (S={most})"] = values[most]
    plots.histogram(path, series, "log p(x), nats per image")


def _pictures(metrics, run, relative):
    captions = {
        "originals": "Test images",
        "reconstructions": "Their reconstructions",
        "samples": "Samples: pixel means of z drawn from the prior",
        "pseudo_inputs": "The first pseudo-inputs",
    }
    title = f"{PRIOR_NAMES[metrics['config']['prior']]}, seed {metrics['config']['seed']}"
    figures = [
        Figure(relative(run.figures / f"{name}.png"), caption)
        for name, caption in captions.items()
        if (run.figures / f"{name}.png").exists()
    ]
    return Section(title, figures=figures)
