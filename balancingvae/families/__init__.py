"""Network families of the first stage beside the ResNet, chosen by name.

Each builder takes a `Config` and a dtype policy and returns `(encoder, decoder)`: images
`(batch, height, width, channels)` in [0, 1] -> mean and log_std of z, each `(batch, latent_dim)`;
and z -> images in [0, 1].
"""

from balancingvae.families.draw import draw
from balancingvae.families.infogan import infogan
from balancingvae.families.plain import conv, dense
from balancingvae.families.rae import rae
from balancingvae.families.wae import wae

FAMILIES = {
    "conv": conv,
    "dense": dense,
    "draw": draw,
    "infogan": infogan,
    "rae": rae,
    "wae": wae,
}
