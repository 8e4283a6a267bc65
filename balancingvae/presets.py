"""Typed settings: one frozen dataclass, one preset per published or bundled configuration."""

import dataclasses
from dataclasses import dataclass

from balancingvae import gamma as gamma_rules
from balancingvae import losses, networks
from balancingvae.model import TwoStageVAE
from vaekit.errors import (
    UserError,
    check_choice,
    check_positive_integer,
    check_positive_number,
    closest,
)

# Rules for gamma, see `gamma`: running minimum of the published code, plain running average,
# learned scalar (Dai & Wipf), a fixed number, or that of the batch at hand (sigma-VAE).
GAMMA_POLICIES = tuple(gamma_rules.RULES)
# What generated latents are renormalised to: the published code's measured value, only where its
# test of the second stage asks for it; or unit deviation, always (the papers).
RENORMALIZATIONS = ("original", "unit")


@dataclass(frozen=True)
class Config:
    """Everything that defines a two-stage model and its training.

    Attributes:
        dataset: name for `vaekit.datasets.load`, or `folder:PATH`.
        image_shape: (height, width, channels).
        binary: whether pixels are 0/1 as they stand, rather than 0..255.
        jpeg: whether images make a JPEG round trip first, as the published code does for CIFAR-10.
        split: "listing" (CelebA's first 162,770 files as listed, as the published code) or
            "official".
        network: of the first stage, a key of `networks.NETWORKS`.
        num_scale, block_per_scale, depth_per_block, kernel_size, base_dim, fc_dim: the ResNet's;
            `network` says which of them the others read.
        fc_depth: dense layers in the encoder's dense block; None for depth_per_block.
        latent_dim: latents of both stages.
        second_depth, second_dim: dense layers of the second stage and their width.
        l2_reg: weight of the sum of squares of kernels, or None.
        apply_l2: False, as in effect in the published code; True for the stride-2 layers of both
            parts; "decoder" for the decoder's up and scale layers, "encoder" for the encoder's
            downsampling, as the paper's CelebA models 2 and 3.
        gamma_policy: one of `GAMMA_POLICIES`; gamma: the number for "fixed".
        kl_factor: weight of the first stage's KL; None for (2 side / latent_dim)^2.
        original_constant: whether log(2 pi) / 2 is cut to 0.91893 as in the published code.
        cross_entropy: Dai & Wipf's other loss for the first stage.
        epochs, lr, lr_epochs: first stage; the rate is lr * lr_fac^floor(epoch / lr_epochs).
        epochs2, lr2, lr_epochs2: second stage. lr_epochs 0 keeps the rate constant.
        renormalization: one of `RENORMALIZATIONS`.
        seed: of weights, noise and batches.
    """

    name: str
    dataset: str
    image_shape: tuple[int, int, int]
    binary: bool = False
    jpeg: bool = False
    split: str = "official"
    network: str = "resnet"
    num_scale: int = 3
    block_per_scale: int = 1
    depth_per_block: int = 2
    kernel_size: int = 3
    base_dim: int = 32
    fc_dim: int = 512
    fc_depth: int | None = None
    latent_dim: int = 64
    second_depth: int = 3
    second_dim: int = 2048
    l2_reg: float | None = None
    apply_l2: bool | str = False
    gamma_policy: str = "computed"
    gamma: float = 1.0
    kl_factor: float | None = None
    original_constant: bool = False
    cross_entropy: bool = False
    batch_size: int = 100
    epochs: int = 700
    lr: float = 1e-4
    lr_epochs: int = 250
    epochs2: int = 1400
    lr2: float = 1e-4
    lr_epochs2: int = 400
    lr_fac: float = 0.5
    renormalization: str = "original"
    seed: int = 0

    def __post_init__(self):
        object.__setattr__(self, "image_shape", tuple(self.image_shape))
        check_choice("gamma_policy", self.gamma_policy, GAMMA_POLICIES)
        check_choice("renormalization", self.renormalization, RENORMALIZATIONS)
        check_choice("split", self.split, ("official", "listing"))
        check_choice("network", self.network, networks.NETWORKS)
        check_choice("apply_l2", self.apply_l2, L2_LAYERS)
        for name in _COUNTS:
            check_positive_integer(name, getattr(self, name))
        for name in _EPOCHS:
            check_positive_integer(name, getattr(self, name), least=0)
        for name in _RATES:
            check_positive_number(name, getattr(self, name))
        if self.fc_depth is not None:
            check_positive_integer("fc_depth", self.fc_depth)
        if self.kl_factor is not None:
            check_positive_number("kl_factor", self.kl_factor)

    @property
    def k(self):
        """Weight of the first stage's KL."""
        if self.kl_factor is not None:
            return self.kl_factor
        return losses.kl_factor(self.image_shape, self.latent_dim)


# `Config.apply_l2` -> `l2_layers` of the builders
L2_LAYERS = {False: None, True: "strided", "encoder": "encoder", "decoder": "decoder"}
_COUNTS = (
    "num_scale", "block_per_scale", "depth_per_block", "kernel_size", "base_dim", "fc_dim",
    "latent_dim", "second_depth", "second_dim", "batch_size",
)  # fmt: skip
_EPOCHS = ("epochs", "lr_epochs", "epochs2", "lr_epochs2")
_RATES = ("lr", "lr2", "lr_fac", "gamma")


def network(config):
    """The builder object of the first stage's networks, from those fields that it reads."""
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
    """A rule object for gamma."""
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
# Ours, light enough for two CPU cores. A KL factor of 1: with few latents the published formula
# would drown the reconstruction.
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
    """What the papers' tables compare beside the two base presets."""
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
        UserError: the name is not known; the message lists those that are.
    """
    if name in PRESETS:
        return PRESETS[name]
    if not name.startswith("folder:"):
        raise UserError(f"Unknown preset {name!r}. {closest(name, [*PRESETS, 'folder:PATH'])}")
    shape = image_shape or (64, 64, 3)
    return dataclasses.replace(
        _SMALL, name=name, dataset=name, image_shape=shape, base_dim=32, latent_dim=64
    )


# What makes a training shorter or a network smaller.
_BUDGET = (
    "epochs", "epochs2", "num_scale", "block_per_scale", "base_dim", "fc_dim", "latent_dim",
    "second_depth", "second_dim",
)  # fmt: skip


def shortfall(values):
    """In words, what of a configuration (a plain dict) is less than its preset has; a list."""
    base = PRESETS.get(values["name"])
    return [
        f"{name} {values[name]} in place of {getattr(base, name)}"
        for name in _BUDGET
        if base is not None and values[name] < getattr(base, name)
    ]


def from_dict(values):
    """A Config from the plain dict that `dataclasses.asdict` gave, as in config.json."""
    known = {field.name for field in dataclasses.fields(Config)}
    unknown, missing = sorted(set(values) - known), sorted(_REQUIRED - set(values))
    if unknown or missing:
        raise UserError(
            "Not a balancingvae configuration: "
            + "; ".join(
                [f"unknown field {name}" for name in unknown]
                + [f"missing field {name}" for name in missing]
            )
            + ". Give the config.json of a balancingvae run."
        )
    return Config(**values)


_REQUIRED = {"name", "dataset", "image_shape"}
