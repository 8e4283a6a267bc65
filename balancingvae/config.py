"""Typed settings of a training: one frozen dataclass, saved as config.json."""

import dataclasses
from dataclasses import dataclass

from balancingvae import gamma as gamma_rules
from balancingvae import losses, networks
from vaekit.errors import UserError, check_choice, check_positive_integer, check_positive_number

# Rules for gamma, see `gamma`: the running minimum of the published code, a plain running average,
# a learned scalar (Dai & Wipf), a fixed number, or the optimum of each batch (sigma-VAE).
GAMMA_POLICIES = tuple(gamma_rules.RULES)
# What generated latents are renormalised to: "original" is the published code's measured value,
# used only if its test of the second stage says so; "unit" is deviation 1, always (the papers).
RENORMALIZATIONS = ("original", "unit")


@dataclass(frozen=True)
class Config:
    """Everything that defines a two-stage model and its training.

    Attributes:
        dataset: name for `vaekit.datasets.load`, or `folder:PATH`.
        image_shape: (height, width, channels).
        binary: whether the dataset has 0/1 pixels rather than 0..255.
        jpeg: whether images first go through a JPEG round trip, as in the published code for
            CIFAR-10.
        split: "listing" (CelebA's first 162,770 files as listed, as in the published code) or
            "official".
        network: the network of the first stage, a key of `networks.NETWORKS`.
        num_scale, block_per_scale, depth_per_block, kernel_size, base_dim, fc_dim: sizes of the
            ResNet; `presets.network` shows which of them the other networks use.
        fc_depth: number of dense layers in the encoder's dense block; None for depth_per_block.
        latent_dim: number of latents of both stages.
        second_depth, second_dim: dense layers of the second stage and their width.
        l2_reg: weight of the sum of squares of kernels, or None.
        apply_l2: False, which is the effect of the published code; True for the stride-2 layers of
            both parts; "decoder" for the decoder's up and scale layers, or "encoder" for the
            encoder's downsampling, as in the paper's CelebA models 2 and 3.
        gamma_policy: one of `GAMMA_POLICIES`; gamma: the number for "fixed".
        kl_factor: weight of the first stage's KL; None for (2 side / latent_dim)^2.
        original_constant: whether log(2 pi) / 2 is truncated to 0.91893 as in the published code.
        cross_entropy: whether the first stage uses Dai & Wipf's other loss.
        epochs, lr, lr_epochs: of the first stage; the rate is lr * lr_fac^floor(epoch / lr_epochs),
            and constant if lr_epochs is 0.
        epochs2, lr2, lr_epochs2: the same for the second stage.
        renormalization: one of `RENORMALIZATIONS`.
        seed: seed of weights, noise and batches.
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


def from_dict(values):
    """The `Config` from the plain dict of `dataclasses.asdict`, as in config.json."""
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
