"""Train both stages of one configuration in a run directory."""

import dataclasses

import keras
import numpy as np

from balancingvae import checkpoint, presets, renormalization
from vaekit import files, training
from vaekit.distributions import draw_posterior
from vaekit.errors import UserError
from vaekit.training import backend, devices
from vaekit.training.checkpoints import load as load_checkpoint

# The default of TensorFlow 1; that of Keras is 1e-7.
ADAM_EPSILON = 1e-8
# The published code measures latents and errors on this many images.
MEASURED_IMAGES = 10_000


def prepare(dataset):
    """The dataset with 0/1 pixels as bool, as models expect them; others are unchanged."""
    if dataset.likelihood != "bernoulli":
        return dataset
    parts = ("train", "validation", "test")
    return dataclasses.replace(
        dataset, **{part: getattr(dataset, part).astype(bool, copy=False) for part in parts}
    )


def check_dataset(config, dataset):
    """Raise a UserError if the images of a dataset do not fit the configuration."""
    if dataset.image_shape != config.image_shape:
        raise UserError(
            f"{config.name} expects images of shape {config.image_shape}, got {dataset.name} with "
            f"{dataset.image_shape}. Use a preset of that dataset."
        )
    if (dataset.likelihood == "bernoulli") != config.binary:
        kinds = ("0..255", "0/1")
        raise UserError(
            f"{config.name} expects {kinds[config.binary]} pixels, got {dataset.name} with "
            f"{kinds[not config.binary]}. Use a preset of that dataset."
        )


def build(config, precision="auto", device_count=1):
    """A new model with both stages compiled; its weights depend only on the seed."""
    keras.utils.set_random_seed(config.seed)
    one, two = backend.arithmetic("resnet", precision), backend.arithmetic("mlp", precision)
    model = presets.model(config, one.policy, two.policy)
    # XLA cannot compile a step that waits for TensorFlow's other replicas.
    compiles = device_count == 1 or keras.backend.backend() == "jax"
    for stage, rate, chosen in (
        (model.stage_one, config.lr, one),
        (model.stage_two, config.lr2, two),
    ):
        optimizer = keras.optimizers.Adam(rate, epsilon=ADAM_EPSILON)
        stage.compile(optimizer, jit_compile=chosen.jit_compile and compiles)
    return model


def train(config, dataset, run, precision="auto", progress=True, device_count=1):
    """Train the model of a run; an interrupted run resumes, and a finished one is only loaded.

    Args:
        config: a `Config`.
        dataset: a `vaekit.datasets.Dataset`; images stay uint8.
        run: a `vaekit.runs.Run`.
        precision: "auto", "float32" or "bfloat16".
        progress: whether to show epochs, losses and the time left.
        device_count: number of devices over which each batch is spread. The result is that of one
            device, except on TensorFlow for the noise of the second stage: XLA draws it on one
            device only.
    """
    check_dataset(config, dataset)
    devices.check(device_count, config.batch_size)
    dataset = prepare(dataset)
    model = build(config, precision)

    def fit(name, arrays, plan):
        options = {"run": run, "phase": name, "progress": progress, **plan}
        if device_count == 1:
            training.fit(getattr(model, name), arrays, **options)
            return
        with devices.spread(device_count):
            stage = getattr(build(config, precision, device_count), name)
            training.fit(stage, arrays, **options)
        checkpoint.assign(getattr(model, name), checkpoint.to_arrays(stage), "the spread copy")

    fit("stage_one", (dataset.train,), first_plan(config))
    if config.epochs2:
        fit("stage_two", posterior(model, dataset.train, run), second_plan(config))
    model.latent_std = latent_std(config, model, dataset.test[:MEASURED_IMAGES])
    checkpoint.save(model, run.directory, config)
    return model


def first_plan(config):
    """Arguments of `vaekit.training.fit` that a configuration implies for the first stage."""
    return {
        "epochs": config.epochs,
        "batch_size": config.batch_size,
        "seed": config.seed,
        "learning_rate": training.halved_every(config.lr, config.lr_epochs, config.lr_fac),
    }


def second_plan(config):
    """The same for the second stage."""
    return {
        "epochs": config.epochs2,
        "batch_size": config.batch_size,
        "seed": config.seed + 1_000_000,  # the data are in another order than in stage one
        "learning_rate": training.halved_every(config.lr2, config.lr_epochs2, config.lr_fac),
    }


def posterior(model, images, run):
    """`(mean, log_var)` of all training images, each `(n, latent_dim)`, computed once per run.

    Raises:
        UserError: the first stage of the run is not finished.
    """
    path = run.checkpoint_path("posterior")
    if path.exists():
        arrays = files.load_npz(path)
        # Runs of earlier versions contain the standard deviation instead.
        log_var = arrays["log_var"] if "log_var" in arrays else 2 * np.log(arrays["std"])
        return arrays["mean"], log_var
    one = run.checkpoint_path("stage_one")
    if not one.exists() or not load_checkpoint(one)[1]["finished"]:
        raise UserError(
            f"The second stage needs a trained first stage, and {one} contains none. Repeat the "
            "same command without changes: it resumes the first stage."
        )
    mean, log_var = model.encode(images)
    files.save_npz(path, {"mean": mean, "log_var": log_var})
    return mean, log_var


def latent_std(config, model, images):
    """The deviation for generated latents that `config.renormalization` implies, or None.

    Args:
        config: a `Config`.
        model: its trained `TwoStageVAE`.
        images: images for the published code's rule: the first 10,000 test images.
    """
    if config.renormalization == "unit":
        return 1.0
    mean, log_var = model.encode(images)
    mean_hat = sampled_reconstruction(model.stage_two, mean, seed=0)
    return renormalization.original_target_std(mean, log_var, mean_hat)


def sampled_reconstruction(stage, target, seed):
    """Decode one posterior sample of every row of `target`, as the published code does.

    Args:
        stage: a `BalancedVAE` (target: images) or `LatentVAE` (target: latents).
        target: array as `stage.encode` expects it.
        seed: of the samples.
    """
    return stage.decode(draw_posterior(*stage.encode(target), seed))
