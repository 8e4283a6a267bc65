"""Encoders and decoders: one serialisable builder per kind of network, by name or as an object.

The method `build(image_shape, latent_dim)` returns `(encoder, decoder)`, ordinary Keras models.
"""

from balancingvae.networks.base import Builder
from balancingvae.networks.batch_norm import BatchNorm
from balancingvae.networks.conv import Conv
from balancingvae.networks.dense import Dense
from balancingvae.networks.draw import Draw
from balancingvae.networks.infogan import InfoGAN
from balancingvae.networks.rae import RAE
from balancingvae.networks.resnet import ResNet
from balancingvae.networks.stage_two import StageTwo
from balancingvae.networks.wae import WAE
from vaekit.errors import UserError, check_choice

__all__ = [
    "NETWORKS",
    "RAE",
    "WAE",
    "BatchNorm",
    "Builder",
    "Conv",
    "Dense",
    "Draw",
    "InfoGAN",
    "ResNet",
    "StageTwo",
    "get",
]

# Short names of the first stage's networks with their defaults.
NETWORKS = {
    "resnet": ResNet,
    "conv": Conv,
    "dense": Dense,
    "draw": Draw,
    "infogan": InfoGAN,
    "rae": RAE,
    "wae": WAE,
}


def get(network):
    """The builder for a short name; a builder object is returned unchanged.

    Raises:
        UserError: the name is unknown, or the object has no method `build`.
    """
    if isinstance(network, str):
        return NETWORKS[check_choice("network", network, NETWORKS)]()
    if not hasattr(network, "build") or isinstance(network, type):
        raise UserError(
            f"network must be a name or a builder such as balancingvae.networks.ResNet(), got "
            f"{network!r}. Names: {', '.join(sorted(NETWORKS))}."
        )
    return network
