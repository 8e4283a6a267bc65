"""The parts of a Gaussian VAE's loss other than the KL, and the weight of the KL.

gamma is the standard deviation of the decoder's Gaussian noise, in the unit of x (some papers write
gamma for its square). Asperti & Trentin, "Balancing reconstruction error and Kullback-Leibler
divergence in Variational Autoencoders", arXiv 2002.07514 (2020); Dai & Wipf, "Diagnosing and
Enhancing VAE Models", ICLR 2019. Functions take and return tensors of any Keras backend; the KL is
`vaekit.distributions.gaussian_kl`, and the rules for gamma are in `gamma`.
"""

import math

from keras import ops

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
# The published code truncates the constant to five digits. This makes the loss 0.026 nats smaller
# per 32 x 32 x 3 image and changes no gradient. Pass it as `constant` to get that code's losses.
ORIGINAL_HALF_LOG_2PI = 0.91893


def generation_loss(x, x_hat, gamma, constant=HALF_LOG_2PI):
    """Minus log N(x; x_hat, gamma^2 I): sum of (x - x_hat)^2 / (2 gamma^2) + log gamma + constant.

    Args:
        x, x_hat: tensors `(batch, ...)`: images, or latents for the second stage.
        gamma: scalar, standard deviation of the noise, unit of x.
        constant: log(2 pi) / 2, or `ORIGINAL_HALF_LOG_2PI`.
    Returns:
        `(batch,)`, nats per image. With gamma^2 equal to the mean squared error the first term is
        half the number of values in an image.
    """
    count = math.prod(x.shape[1:])
    squared = ops.sum(ops.square(x - x_hat), axis=list(range(1, len(x.shape))))
    return 0.5 * squared / ops.square(gamma) + count * (ops.log(gamma) + constant)


def cross_entropy_loss(x, x_hat, floor=1e-8):
    """Cross-entropy of pixels in [0, 1], Dai & Wipf's other loss for the first stage.

    Args:
        x, x_hat: tensors `(batch, height, width, channels)` in [0, 1].
        floor: smallest argument of a logarithm.
    Returns:
        `(batch,)`, nats per image.
    """
    log_on = ops.log(ops.maximum(x_hat, floor))
    log_off = ops.log(ops.maximum(1 - x_hat, floor))
    return -ops.sum(x * log_on + (1 - x) * log_off, axis=list(range(1, len(x.shape))))


def squared_error(x, x_hat):
    """Mean squared error over batch and values, a scalar in squared units of x."""
    return ops.mean(ops.square(x - x_hat))


def kl_factor(image_shape, latent_dim):
    """Weight k of the first stage's KL, (2 side / latent_dim)^2.

    It keeps the balance if there are more pixels per latent: it is 1 for 32 x 32 pixels and 64
    latents, and 4 for 64 x 64 pixels and 64 latents. The published code has square images only; for
    other images we use height * width for side^2.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: number of latents.
    """
    height, width, _ = image_shape
    return 4 * height * width / latent_dim**2
