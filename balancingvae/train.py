"""Train both stages of one configuration in a run directory."""

import keras
import numpy as np

from balancingvae import checkpoint, variance
from balancingvae.model import TwoStageVAE
from vaekit import files, training
from vaekit.errors import UserError
from vaekit.training import backend, devices
from vaekit.training.checkpoints import load as load_checkpoint

# TensorFlow 1's; Keras' default is 1e-7.
ADAM_EPSILON = 1e-8
# The published code measures latents and errors on that many images.
MEASURED_IMAGES = 10_000


def check_dataset(config, dataset):
    """Refuse a dataset whose images do not fit the configuration."""
    if dataset.image_shape != config.image_shape:
        raise UserError(
            f"{dataset.name} has images of shape {dataset.image_shape}; {config.name} takes "
            f"{config.image_shape}. Take a preset of that dataset."
        )
    if (dataset.likelihood == "bernoulli") != config.binary:
        kinds = ("0..255", "0/1")
        raise UserError(
            f"{dataset.name} has {kinds[not config.binary]} pixels; {config.name} takes "
            f"{kinds[config.binary]}. Take a preset of that dataset."
        )


def build(config, precision="auto", device_count=1):
    """A fresh model, both stages compiled; its weights depend on the seed alone."""
    keras.utils.set_random_seed(config.seed)
    one, two = backend.arithmetic("resnet", precision), backend.arithmetic("mlp", precision)
    model = TwoStageVAE(config, one.policy, two.policy)
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
    """The trained model of a run; goes on where the run stopped, and is instant where it is done.

    Args:
        config: a `Config`.
        dataset: a `vaekit.datasets.Dataset`; images stay uint8.
        run: a `vaekit.runs.Run`.
        precision: "auto", "float32" or "bfloat16".
        progress: whether to show epochs, losses and the time left.
        device_count: over how many devices each batch is spread. The result is that of one, but for
            the noise of TensorFlow's second stage, which XLA draws only where it is not spread.
    """
    check_dataset(config, dataset)
    devices.check(device_count, config.batch_size)
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
    model.latent_std = latent_std(model, dataset.test[:MEASURED_IMAGES])
    checkpoint.save(model, run.directory)
    return model


def first_plan(config):
    """Arguments of `vaekit.training.fit` that a configuration sets for its first stage."""
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
        "seed": config.seed + 1_000_000,  # another order of the data than in stage one
        "learning_rate": training.halved_every(config.lr2, config.lr_epochs2, config.lr_fac),
    }


def posterior(model, images, run):
    """`(mean, std)` of all training images, each `(n, latent_dim)`, extracted once per run.

    Raises:
        UserError: the first stage of the run is not trained to its end.
    """
    path = run.checkpoint_path("posterior")
    if path.exists():
        arrays = files.load_npz(path)
        return arrays["mean"], arrays["std"]
    one = run.checkpoint_path("stage_one")
    if not one.exists() or not load_checkpoint(one)[1]["finished"]:
        raise UserError(
            f"The second stage needs a trained first stage, and {one} holds none. Give the same "
            "command without changes: it goes on with the first stage."
        )
    mean, log_var = model.encode(images)
    std = np.exp(0.5 * log_var)
    files.save_npz(path, {"mean": mean, "std": std})
    return mean, std


def latent_std(model, images):
    """What generated latents are renormalised to, by `config.renormalization`, or None.

    Args:
        model: a trained `TwoStageVAE`.
        images: those the published code's rule is measured on: the first 10,000 test images.
    """
    if model.config.renormalization == "unit":
        return 1.0
    mean, log_var = model.encode(images)
    mean_hat = sampled_reconstruction(model.stage_two, mean, seed=0)
    return variance.original_target_std(mean, log_var, mean_hat)


def sampled_reconstruction(stage, target, seed):
    """Decoder output for one posterior sample of every row of `target`, as the published code does.

    Args:
        stage: a `StageOne` (target: float images in [0, 1]) or `StageTwo` (target: latents).
        seed: of the samples.
    """
    mean, log_std = stage.posterior(target)
    noise = np.random.default_rng(seed).standard_normal(mean.shape).astype(np.float32)
    return stage.reconstruction(mean + np.exp(log_std) * noise)


def estimate_gamma(model, images, seed=0):
    """Set both running errors to what the published code restores when it resumes.

    The mean squared error of sampled reconstructions, in inference mode: of images, and of their
    posterior means by the second stage. gamma is in no original checkpoint.

    Args:
        model: a `TwoStageVAE`, such as an imported one.
        images: `(n, height, width, channels)`; the published code takes 10,000 training images.
        seed: of the samples.
    Returns:
        `(gamma, gamma_z)`, units of x and of z.
    """
    mean, log_var = model.encode(images)
    noise = np.random.default_rng(seed).standard_normal(mean.shape)
    errors = []
    for start in range(0, len(images), 1000):
        part = slice(start, start + 1000)
        (real,) = model.checked(images[part])
        rec = model.decode(mean[part] + np.exp(0.5 * log_var[part]) * noise[part])
        errors.append(np.square(real - rec).mean((1, 2, 3)))
    error = float(np.concatenate(errors).mean())
    mean_hat = sampled_reconstruction(model.stage_two, mean, seed)
    error_z = float(np.square(mean - mean_hat).mean())
    model.stage_one.running_error.assign(error)
    model.stage_two.running_error.assign(error_z)
    return error**0.5, error_z**0.5
