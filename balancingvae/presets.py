"""The published and bundled configurations by name, and the models that they describe."""

import dataclasses

from balancingvae import gamma as gamma_rules
from balancingvae import networks
from balancingvae.config import (
    GAMMA_POLICIES,
    L2_LAYERS,
    RENORMALIZATIONS,
    Config,
    from_dict,
)
from balancingvae.model import TwoStageVAE
from vaekit.errors import UserError, closest

__all__ = [
    "GAMMA_POLICIES",
    "PRESETS",
    "RENORMALIZATIONS",
    "Config",
    "balance",
    "from_dict",
    "model",
    "network",
    "preset",
    "shortfall",
]

_CIFAR10 = Config("cifar10", "cifar10", (32, 32, 3), jpeg=True, original_constant=True)
_CELEBA = Config(
    "celeba",
    "celeba",
    (64, 64, 3),
    split="listing",
    original_constant=True,
    num_scale=4,
    second_dim=4096,
    l2_reg=0.001,
    epochs=70,
    lr=5e-5,
    lr_epochs=60,
    epochs2=140,
    lr2=5e-5,
    lr_epochs2=120,
)
# Our own settings, light enough for two CPU cores. The KL factor is 1, because with few latents the
# published formula gives a KL weight that drowns the reconstruction.
_SMALL = Config(
    "mnist",
    "mnist",
    (28, 28, 1),
    num_scale=3,
    base_dim=16,
    fc_dim=128,
    latent_dim=16,
    second_dim=256,
    kl_factor=1.0,
    renormalization="unit",
    epochs=30,
    lr=1e-3,
    lr_epochs=10,
    epochs2=60,
    lr2=1e-3,
    lr_epochs2=20,
)


def _papers_variants():
    """The configurations of the papers' tables other than the two base presets."""
    rates = [
        # Balancing, Table 5; 0.00010 is cifar10 itself.
        dataclasses.replace(_CIFAR10, name=f"cifar10_lr{rate}", lr=float(rate))
        for rate in ("0.00020", "0.00015", "0.00005")
    ]
    one = dataclasses.replace(
        _CELEBA, name="celeba_model1", lr=1e-4, lr_epochs=48, lr2=1e-4, lr_epochs2=120
    )
    models = [  # Balancing, Table 3
        one,
        dataclasses.replace(one, name="celeba_model2", apply_l2="decoder"),
        dataclasses.replace(one, name="celeba_model3", block_per_scale=2, apply_l2="encoder"),
        dataclasses.replace(one, name="celeba_model4", latent_dim=128, num_scale=3),
    ]
    # Dai & Wipf: learned gamma, KL weight 1; budgets of Balancing's repetition and of their README.
    theirs = {"gamma_policy": "learned", "kl_factor": 1.0, "second_dim": 1024, "l2_reg": None}
    long = {"epochs": 1000, "lr_epochs": 300, "epochs2": 2000, "lr_epochs2": 600}
    short = {"lr": 1e-4, "lr2": 1e-4, "batch_size": 64}
    two_stage = [
        dataclasses.replace(_CIFAR10, name="cifar10_two_stage", **theirs, **long),
        dataclasses.replace(
            _CELEBA,
            name="celeba_two_stage",
            **theirs | short | {"epochs": 100, "lr_epochs": 40, "epochs2": 100, "lr_epochs2": 40},
            latent_dim=128,
        ),
        dataclasses.replace(
            _CIFAR10,
            name="cifar10_infogan",
            **theirs | short | {"epochs": 400, "lr_epochs": 150, "epochs2": 800, "lr_epochs2": 300},
            network="infogan",
            base_dim=16,
        ),
        dataclasses.replace(
            _CELEBA,
            name="celeba_wae",
            **theirs | short | {"epochs": 70, "lr_epochs": 30, "epochs2": 70, "lr_epochs2": 30},
            network="wae",
        ),
    ]
    return [*rates, *models, *two_stage]


PRESETS = {
    preset.name: preset
    for preset in (
        _CIFAR10,
        _CELEBA,
        *_papers_variants(),
        dataclasses.replace(
            _CIFAR10,
            name="cifar10_paper",
            jpeg=False,
            original_constant=False,
            renormalization="unit",
        ),
        dataclasses.replace(
            _CELEBA,
            name="celeba_paper",
            split="official",
            original_constant=False,
            apply_l2=True,
            kl_factor=4.0,
            renormalization="unit",
        ),
        dataclasses.replace(
            _SMALL,
            name="digits",
            dataset="digits",
            image_shape=(8, 8, 1),
            num_scale=2,
            epochs=120,
            lr_epochs=40,
            epochs2=240,
            lr_epochs2=80,
        ),
        _SMALL,
        dataclasses.replace(_SMALL, name="fashion_mnist", dataset="fashion_mnist"),
        dataclasses.replace(_SMALL, name="static_mnist", dataset="static_mnist", binary=True),
        dataclasses.replace(
            _SMALL,
            name="frey_faces",
            dataset="frey_faces",
            image_shape=(28, 20, 1),
            epochs=200,
            lr_epochs=70,
            epochs2=400,
            lr_epochs2=130,
        ),
        dataclasses.replace(
            _SMALL,
            name="caltech101_silhouettes",
            dataset="caltech101_silhouettes",
            binary=True,
            epochs=60,
        ),
    )
}


def preset(name, image_shape=None):
    """The preset called `name`; `folder:PATH` gives the small settings for a folder of images.

    Args:
        name: a key of `PRESETS`, or `folder:PATH`.
        image_shape: (height, width, channels) of the folder's images.
    Raises:
        UserError: the name is not known; the message lists the known names.
    """
    if name in PRESETS:
        return PRESETS[name]
    if not name.startswith("folder:"):
        raise UserError(f"Unknown preset {name!r}. {closest(name, [*PRESETS, 'folder:PATH'])}")
    shape = image_shape or (64, 64, 3)
    return dataclasses.replace(
        _SMALL, name=name, dataset=name, image_shape=shape, base_dim=32, latent_dim=64
    )


# Fields whose reduction makes a training shorter or a network smaller.
_BUDGET = (
    "epochs", "epochs2", "num_scale", "block_per_scale", "base_dim", "fc_dim", "latent_dim",
    "second_depth", "second_dim",
)  # fmt: skip


def shortfall(values):
    """List, in words, of what is smaller in a configuration (a plain dict) than in its preset."""
    base = PRESETS.get(values["name"])
    return [
        f"{name} {values[name]} in place of {getattr(base, name)}"
        for name in _BUDGET
        if base is not None and values[name] < getattr(base, name)
    ]


def network(config):
    """The builder of the first stage's networks, with the fields that it uses."""
    sizes = {
        "resnet": (
            "num_scale", "block_per_scale", "depth_per_block", "kernel_size", "base_dim", "fc_dim",
            "fc_depth",
        ),
        "conv": ("num_scale", "kernel_size", "base_dim", "fc_dim"),
        "infogan": ("base_dim", "fc_dim"),
        "rae": ("base_dim",),
        "wae": ("base_dim",),
    }  # fmt: skip
    builder = networks.NETWORKS[config.network]
    if config.network == "dense":
        return builder(depth=config.num_scale, width=config.fc_dim)
    if config.network == "draw":
        return builder(units=config.fc_dim)
    arguments = {name: getattr(config, name) for name in sizes[config.network]}
    penalised = hasattr(builder, "l2") and config.apply_l2 and config.l2_reg
    if penalised:
        arguments |= {"l2": config.l2_reg, "l2_layers": L2_LAYERS[config.apply_l2]}
    return builder(**arguments)


def balance(config):
    """The rule object for gamma."""
    if config.gamma_policy == "fixed":
        return gamma_rules.FixedGamma(config.gamma)
    return gamma_rules.get(config.gamma_policy)


def model(config, dtype="float32", dtype_two="float32"):
    """An untrained `TwoStageVAE` of a configuration.

    Args:
        config: a `Config`.
        dtype, dtype_two: Keras dtype policies of the two stages' networks.
    """
    return TwoStageVAE(
        image_shape=config.image_shape,
        latent_dim=config.latent_dim,
        network=network(config),
        balance=balance(config),
        kl_weight=config.kl_factor,
        reconstruction="cross_entropy" if config.cross_entropy else "gaussian",
        original_constant=config.original_constant,
        second_depth=config.second_depth,
        second_width=config.second_dim,
        seed=config.seed,
        dtype=dtype,
        second_dtype=dtype_two,
    )
