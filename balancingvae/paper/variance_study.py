"""The variance-loss study: many small VAEs, each measured as it trains.

Asperti, "Variance Loss in Variational Autoencoders", LOD 2020, Figure 4: variance loss against
mean squared error over families of networks, datasets, latent sizes and budgets.
"""

import contextlib
import dataclasses
from pathlib import Path

import keras
import numpy as np

from balancingvae import checkpoint, presets, train, variance
from balancingvae.networks import BatchNorm
from balancingvae.one_stage import BalancedVAE
from balancingvae.paper import experiments, pca
from vaekit import datasets, training
from vaekit.datasets.splits import permutation
from vaekit.runs import open_run, run_name

MEASURED = "measured"
# Batches of training images behind a measurement's batch-norm statistics.
STATISTICS_BATCHES = 10
# A dense network that learns few images by heart reconstructs unseen ones as those: no averages.
BY_HEART = {"network": "dense", "dataset": "mnist", "latent_dim": 32, "images": 100, "epochs": 400}


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the study trains: every combination, measured after each of the budgets.

    Attributes:
        families: networks of the first stage.
        datasets: real datasets.
        latent_dims: numbers of latents.
        budgets: epochs after which a training is measured; the last one ends it.
        images, test_images: at most that many of each dataset, a seeded choice.
        base_dim, fc_dim: width of the networks.
        seed: of everything.
    """

    families: tuple = ("dense", "conv", "resnet", "draw")
    datasets: tuple = ("digits", "mnist", "fashion_mnist", "frey_faces", "cifar10")
    latent_dims: tuple = (8, 32)
    budgets: tuple = (5, 20)
    images: int = 2000
    test_images: int = 500
    base_dim: int = 8
    fc_dim: int = 128
    seed: int = 0

    def configs(self):
        """A `Config` per training."""
        return [
            self.config(family, dataset, latent_dim)
            for dataset in self.datasets
            for family in self.families
            for latent_dim in self.latent_dims
        ]

    def config(self, network, dataset, latent_dim, **changes):
        """The `Config` of one training.

        The KL has weight 1 everywhere, so that latent sizes compare.
        """
        changes = {"epochs": max(self.budgets), **changes}
        return dataclasses.replace(
            preset_of(dataset),
            name=f"{dataset}-{network}",
            network=network,
            latent_dim=latent_dim,
            base_dim=self.base_dim,
            fc_dim=self.fc_dim,
            num_scale=2,
            kl_factor=1.0,
            batch_size=50,
            lr=1e-3,
            lr_epochs=0,
            epochs2=0,
            seed=self.seed,
            **changes,
        )


def preset_of(dataset, data_dir=None):
    """The preset of a dataset's name; of a folder of images with their shape."""
    if not dataset.startswith("folder:"):
        return presets.preset(dataset)
    return presets.preset(dataset, datasets.load(dataset, data_dir).image_shape)


def run_study(plan, options, say=print):
    """Train and measure all of a plan; what is there already is taken as it is.

    Args:
        plan: a `Plan`.
        options: `experiments.Options`: places and precision.
        say: called with one line per training.
    Returns:
        list of dicts: `dataset`, `network`, `latent_dim`, `epochs`, `images`, `hardware` and
        `seconds` of the training, and what `measure` gives; one per training and budget.
    """
    rows, loaded = [], {}
    wanted = plan.configs()
    for index, config in enumerate(wanted, start=1):
        if config.dataset not in loaded:
            loaded = {config.dataset: subset(config, plan, options)}
        found = train_and_measure(config, loaded[config.dataset], plan.budgets, options)
        rows += found
        last = found[-1]
        say(
            f"{index}/{len(wanted)} {config.dataset} {config.network} {config.latent_dim} latents: "
            f"mse {last['mse']:.5f}, variance loss {last['variance_loss']:.5f}"
        )
    return rows


def learned_by_heart(plan, options):
    """The pathological case: a dense VAE of a hundred images, measured on them and on unseen ones.

    Returns:
        dict of "training images" and "unseen images" to the rows of `train_and_measure`.
    """
    choice = dict(BY_HEART)
    few = dataclasses.replace(plan, images=choice.pop("images"), budgets=(choice["epochs"],))
    config = few.config(**choice, gamma_policy="fixed", gamma=0.05)
    dataset = subset(config, few, options)
    seen = dataclasses.replace(dataset, test=dataset.train)
    return {
        "training images": train_and_measure(config, seen, few.budgets, options, "+seen")[-1],
        "unseen images": train_and_measure(config, dataset, few.budgets, options)[-1],
    }


def subset(config, plan, options):
    """The plan's share of a dataset."""
    chosen = dataclasses.replace(options, images=plan.images, test_images=plan.test_images)
    return experiments.load(config, chosen)


def train_and_measure(config, dataset, budgets, options, suffix=""):
    """Rows of one training, one per budget, from its run directory where it is finished."""
    changes = {
        key: getattr(config, key)
        for key in ("latent_dim", "base_dim", "fc_dim", "epochs", "gamma_policy")
    }
    name = run_name(config.name + suffix, {**changes, "images": len(dataset.train)})
    directory = Path(options.runs) / checkpoint.PACKAGE / "variance" / name / f"seed{config.seed}"
    described = checkpoint.describe(
        config, data_fingerprint=dataset.fingerprint, images=len(dataset.train), budgets=budgets
    )
    with open_run(directory, described, type(config), options) as run:
        found = _measured(run)
        if not set(budgets) <= set(found):
            _train(config, dataset, budgets, run, options.precision)
            found = _measured(run)
    shared = {
        "dataset": config.dataset,
        "network": config.network,
        "latent_dim": config.latent_dim,
        "images": len(dataset.train),
        "test_images": len(dataset.test),
        "hardware": run.hardware,
        "seconds": run.seconds,
    }
    return [{**shared, "epochs": epochs, **found[epochs]} for epochs in budgets]


def _measured(run):
    skipped = ("phase", "epoch")
    return {
        record["epoch"] + 1: {k: v for k, v in record.items() if k not in skipped}
        for record in run.records(MEASURED)
    }


def _train(config, dataset, budgets, run, precision):
    train.check_dataset(config, dataset)
    model = train.build(config, precision)
    stage = model.stage_one
    training.fit(
        stage,
        (dataset.train,),
        run=run,
        phase="stage_one",
        callbacks=[_Measure(run, budgets, dataset)],
        progress=False,
        **train.first_plan(config),
    )
    if max(budgets) not in _measured(run):  # killed between the last epoch and its measurement
        run.log({"phase": MEASURED, "epoch": max(budgets) - 1, **_measure(stage, dataset)})


def _measure(stage, dataset):
    with fresh_statistics(stage, dataset.train):
        return measure(stage, dataset.test)


class _Measure(keras.callbacks.Callback):
    """Logs what `measure` gives after some of the epochs."""

    def __init__(self, run, budgets, dataset):
        super().__init__()
        self.run, self.budgets, self.dataset = run, budgets, dataset

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 in self.budgets:
            record = _measure(self.model, self.dataset)
            self.run.log({"phase": MEASURED, "epoch": epoch, **record})


@contextlib.contextmanager
def fresh_statistics(stage, images, seed=0):
    """Batch norm with the statistics of a few batches of today, then those of training again.

    The original moving statistics remember about a thousand updates, which is more than a short
    training has; with them a ResNet of a few hundred updates gives no sensible image.

    Args:
        stage: a `BalancedVAE`.
        images: uint8 training images.
    """
    parts = (stage.encoder, stage.decoder)
    norms = [layer for part in parts for layer in part.layers if isinstance(layer, BatchNorm)]
    kept = [[w.numpy() for w in norm.non_trainable_weights] for norm in norms]
    for norm in norms:
        for weight in (norm.mean_shadow, norm.variance_shadow, norm.updates):
            weight.assign(np.zeros(weight.shape, np.float32))
    rng = np.random.default_rng(seed)
    for _ in range(STATISTICS_BATCHES if norms else 0):
        batch = images[rng.choice(len(images), stage.config.batch_size)]
        noise = rng.standard_normal((len(batch), stage.config.latent_dim)).astype(np.float32)
        scaled = batch.astype(np.float32) / (1 if stage.config.binary else 255)
        stage.forward(scaled, noise, training=True)
    try:
        yield
    finally:
        for norm, values in zip(norms, kept, strict=True):
            for weight, value in zip(norm.non_trainable_weights, values, strict=True):
                weight.assign(value)


def measure(stage: BalancedVAE, images, seed=0):
    """Errors and variances of reconstructions (from one sample of z) and of generated images.

    Args:
        stage: a `BalancedVAE`.
        images: uint8 test images `(n, height, width, channels)`.
    Returns:
        dict: `mse`, `variance_loss` (per image), `variance_loss_over_data`, `variance` (mean
        per-image variance of the test images), `generated_loss` and `generated_loss_over_data` (of
        images from z ~ N(0, I)), `kl`, `inactive`, `gamma`.
    """
    real = images.astype(np.float32) / (1 if stage.config.binary else 255)
    mean, log_var = stage.encode(real)
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(mean.shape).astype(np.float32)
    generated = stage.decode(rng.standard_normal(mean.shape))
    kl = 0.5 * np.sum(np.exp(log_var) - log_var - 1 + mean**2, axis=1)
    return {
        **pca.losses(real, stage.decode(mean + np.exp(0.5 * log_var) * noise)),
        "variance": float(np.mean(np.var(real.reshape(len(real), -1), axis=1))),
        "generated_loss": variance.variance_loss(real, generated),
        "generated_loss_over_data": variance.variance_loss_over_data(real, generated),
        "kl": float(kl.mean()),
        "inactive": int(variance.inactive_units(log_var).sum()),
        "gamma": float(stage.gamma),
    }


def projections(plan, options, images=300):
    """The theorem on real data: PCA, scikit-learn's PCA, and means of pairs, for every dataset.

    Args:
        images: test images of each dataset; PCA is fitted to them.
    Returns:
        list of dicts: `dataset`, `curve` (rows of `pca.pca_losses` at every number of components),
        `largest_difference` between mse and variance loss over data, `sklearn` and `pairs` (dicts
        as of `pca.losses`), `sklearn_components`.
    """
    found = []
    for name in plan.datasets:
        dataset = subset(preset_of(name), plan, options)
        x = dataset.test[:images].astype(np.float64) / (255 if dataset.test.max() > 1 else 1)
        curve = pca.pca_losses(x)
        differences = [abs(row["mse"] - row["variance_loss_over_data"]) for row in curve]
        components = min(20, len(curve) - 1)
        order = permutation(len(x), plan.seed)
        found.append(
            {
                "dataset": name,
                "images": len(x),
                "curve": curve,
                "largest_difference": max(differences),
                "sklearn": pca.losses(x, sklearn_reconstruction(x, components)),
                "sklearn_components": components,
                "pairs": pca.losses(x, pca.pairs_averaged(x, order)),
            }
        )
    return found


def sklearn_reconstruction(x, components):
    """scikit-learn's PCA of `(n, ...)` data, there and back."""
    from sklearn.decomposition import PCA

    rows = x.reshape(len(x), -1)
    model = PCA(components, svd_solver="full").fit(rows)
    return model.inverse_transform(model.transform(rows)).reshape(x.shape)
