"""Measure a trained two-stage model on test images; `report` shows the numbers."""

import numpy as np

from balancingvae import measures, renormalization
from balancingvae.train import MEASURED_IMAGES, prepare, sampled_reconstruction
from vaekit import fid, files
from vaekit.errors import UserError
from vaekit.images import check_images

SEED = 0  # of every evaluation's noise and samples
METRICS = "evaluation.json"
# Largest number of values per image for Frechet distances on pixels.
MOST_PIXEL_FEATURES = 1000
SETS = ("REC", "GEN-1", "GEN-2")
RENORMALIZED = " renormalised"  # ending of a set's name in evaluation.json


def evaluate(model, dataset, run, settings, count=MEASURED_IMAGES):
    """Figures of a trained model, also saved as evaluation.json in its run directory.

    Args:
        model: a trained `TwoStageVAE`.
        dataset: the `vaekit.datasets.Dataset`; its first `count` test images are measured.
        run: the `vaekit.runs.Run` of the model.
        settings: `vaekit.fid.Settings`.
        count: number of test images, and of generated ones.
    Returns:
        dict of metrics, as in evaluation.json.
    """
    real = measured_images(model, dataset, count)
    mean, log_var = model.encode(real)
    sampled = sampled_reconstruction(model.stage_one, real, SEED)
    mean_hat = sampled_reconstruction(model.stage_two, mean, SEED)
    latents = generated_latents(model, len(real))
    sets = decoded_sets(model, real, sampled, latents)
    metrics = {
        "config": run.config["config"],
        "test_images": len(real),
        "training_images": len(dataset.train),
        "reduced_images": run.config.get("images") is not None,
        "epochs": {phase: len(run.records(phase)) for phase in ("stage_one", "stage_two")},
        "training_seconds": sum(record["seconds"] for record in run.records()),
        "gamma": float(model.stage_one.gamma),
        "gamma_z": float(model.stage_two.gamma),
        "k": model.stage_one.kl_weight,
        **measures.posterior_figures(mean, log_var),
        **measures.reconstruction_figures(real, sampled, model.decode(mean)),
        "second_stage": measures.second_stage_figures(mean, mean_hat),
        "latent_std": model.latent_std,
        "latent_variance": {name: measures.mean_variance(z) for name, z in latents.items()},
        "pixel_std": {
            name: float(renormalization.mean_pixel_std(images))
            for name, images in {"real": real, **sets}.items()
        },
        "distances": distances(dataset, sets, settings),
    }
    metrics["headline"] = (
        f"mse {metrics['mse']:.5f}, {metrics['inactive']} of {model.latent_dim} latents "
        f"inactive, variance law {metrics['variance_law']:.3f}"
    )
    files.write_json(run.directory / METRICS, metrics)
    return metrics


def measured_images(model, dataset, count=MEASURED_IMAGES):
    """The first `count` test images as floats in [0, 1]."""
    return check_images(prepare(dataset).test[:count], model.image_shape)


def set_name(name, renormalized):
    """The name of a set in evaluation.json; `name` is one of `SETS`."""
    return name + (RENORMALIZED if renormalized else "")


def generated_latents(model, count):
    """Latents of both stages with and without renormalisation: dict of name -> `(count, dim)`."""
    return {
        set_name(f"GEN-{stage}", renormalize): model.generate_latents(
            count, stage, renormalize, SEED
        )
        for stage in (1, 2)
        for renormalize in (False, True)
    }


def decoded_sets(model, real, sampled, latents):
    """Images of every set: reconstructions, renormalised reconstructions, and generated images."""
    moved = renormalization.renormalize_images(sampled, renormalization.mean_pixel_std(real))
    sets = {"REC": sampled, set_name("REC", True): moved.astype(np.float32)}
    return sets | {name: model.decode(z) for name, z in latents.items()}


def distances(dataset, sets, settings):
    """Rows of Frechet distances: FID if its weights are available, and pixels of small images."""
    try:
        rows = settings.evaluate(dataset, sets)
    except UserError as error:
        rows = [
            {"set": name, "label": "FID", "value": None, "warning": str(error)} for name in sets
        ]
    if settings.extractor != "pixels":
        try:
            rows += pixel_distances(dataset, sets, settings.protocol)
        except UserError as error:
            rows.append({"set": "all", "label": "pixels", "value": None, "warning": str(error)})
    return rows


def pixel_distances(dataset, sets, protocol):
    """Rows of Frechet distances on pixels; large images are shrunk first, and the label says so."""
    if np.prod(dataset.image_shape) <= MOST_PIXEL_FEATURES:
        return fid.evaluate_sets(dataset, sets, protocol, "pixels")
    levels = 1 if dataset.likelihood == "bernoulli" else 255
    real = getattr(dataset, fid.get_protocol(protocol).reference) / np.float32(levels)
    real = measures.shrunk(real, MOST_PIXEL_FEATURES)
    small = {name: measures.shrunk(images, MOST_PIXEL_FEATURES) for name, images in sets.items()}
    size = " x ".join(map(str, real.shape[1:3]))
    rows = fid.evaluate_sets(real, small, protocol, "pixels")
    return [{**row, "label": f"{row['label']} at {size}"} for row in rows]
