"""Score a trained model on test images: the bound, log p(x), and the components in use."""

import math
import time

import numpy as np
from keras import ops

from vaekit import files
from vampprior.importance import mean_and_standard_error
from vampprior.mixtures import effective_components
from vampprior.priors import Mixture

SEED = 0  # of the noise and samples of every evaluation
METRICS = "evaluation.json"
PER_IMAGE = "log_likelihood.npz"


def evaluate(model, data, run, num_samples, memory_mib, progress=True):
    """Bound and log-likelihoods of a trained model, also saved in its run directory.

    Args:
        model: a trained `VAE`.
        data: `train.Data`; its test images are scored.
        run: the `vaekit.runs.Run` of the model.
        num_samples: numbers S of importance samples, with one estimate for each.
        memory_mib: memory for the log-likelihood's activations.
        progress: whether to show bars.
    Returns:
        dict of metrics as in evaluation.json, in nats per image unless named otherwise.
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
    if previous.exists():  # a reused estimate keeps the time of its computation
        _keep_seconds(metrics, files.read_json(previous))
    files.save_npz(run.directory / PER_IMAGE, values)
    files.write_json(previous, metrics)
    return metrics


def bits_per_dimension(log_likelihood, image_shape):
    """-log2 p(x) per pixel value, from nats per image."""
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
    """`mixtures.effective_components` of one posterior sample per image; None without a mixture."""
    if not isinstance(model.prior, Mixture):
        return None
    mean, log_var = model.encode(images)
    # The draws are float32, as for the recorded figures; `distributions.draw_posterior` differs.
    noise = np.random.default_rng(SEED).standard_normal(mean.shape, dtype=np.float32)
    z = mean + np.exp(log_var / 2) * noise
    return effective_components(ops.convert_to_numpy(model.prior.responsibilities(z)))


def _keep_seconds(metrics, previous):
    for samples, found in previous.get("log_likelihood", {}).items():
        now = metrics["log_likelihood"].get(samples)
        if now and now["mean"] == found.get("mean"):
            now["seconds"] = found["seconds"]
