"""What the decoder's outputs mean: Bernoulli pixels, or a discretised logistic on 256 levels."""

import math

import numpy as np
from keras import ops

from vaekit.errors import UserError
from vaekit.images import check_images
from vampprior.presets import MIN_LOG_SCALE

LEVELS = 256
# Upper bound in Tomczak & Welling's code, in units of the image's range 0..1.
MAX_LOG_SCALE = 0.0


def bernoulli_log_prob(x, logits):
    """log p(x) of independent 0/1 pixels.

    Args:
        x: 0 or 1, `(..., pixels)`.
        logits: `(..., pixels)`.
    Returns:
        `(...)`, nats.
    """
    # log p(x) is -softplus(-l) where x = 1 and -softplus(l) where x = 0.
    return -ops.sum(ops.softplus((1.0 - 2.0 * x) * logits), axis=-1)


def discretized_logistic_log_prob(x, mean, log_scale):
    """log p(x) of independent pixels on 256 levels.

    Level k owns the bin from k/256 to (k+1)/256 of a logistic distribution; the two outermost bins
    reach to infinity, so that the 256 probabilities sum to one. Tomczak & Welling (2018) and their
    code leave the outer tails out and floor each probability at 1e-7, and their
    `floor(x * 256)` puts level 255 outside the range; the three differences touch almost only
    pixels at 0 and 255.

    Args:
        x: level / 255, `(..., pixels)`.
        mean: in (0, 1), `(..., pixels)`.
        log_scale: log of the logistic's scale, same unit as the mean, `(..., pixels)`.
    Returns:
        `(...)`, nats.
    """
    level = ops.round(x * (LEVELS - 1))
    inverse_scale = ops.exp(-log_scale)
    low = (level / LEVELS - mean) * inverse_scale
    width = inverse_scale / LEVELS
    # sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - exp(a - b)): nothing cancels.
    below_top = ops.where(level < LEVELS - 1, -ops.softplus(-(low + width)), 0.0)
    above_bottom = ops.where(level > 0, -ops.softplus(low), 0.0)
    inside = ops.logical_and(level > 0, level < LEVELS - 1)
    bin_width = ops.where(inside, ops.log(-ops.expm1(-width)), 0.0)
    return ops.sum(below_top + above_bottom + bin_width, axis=-1)


class Bernoulli:
    """0/1 pixels; the decoder gives one logit per pixel.

    Args:
        min_probability: least probability of either value: what the decoder says is clipped to
            [min_probability, 1 - min_probability]. It bounds what a single pixel can cost a test
            image, and stops the gradient of pixels that are sure already; Tomczak & Welling's code
            has 1e-5. 0 clips nothing.
    """

    name = "bernoulli"
    outputs_per_pixel = 1

    def __init__(self, min_probability=0.0):
        self.min_probability = min_probability

    def log_prob(self, x, outputs):
        """x `(..., pixels)` of 0/1, outputs `(..., pixels)` -> `(...)`, nats."""
        return bernoulli_log_prob(x, self._clipped(outputs))

    def mean(self, outputs):
        """Probability that a pixel is 1, `(..., pixels)`."""
        return ops.sigmoid(self._clipped(outputs))

    def _clipped(self, logits):
        if not self.min_probability:
            return logits
        most = math.log(1 / self.min_probability - 1)
        return ops.clip(logits, -most, most)

    def check(self, images, image_shape):
        """Images `(n, height, width, channels)` as float32 of exactly 0 and 1, or a UserError."""
        return check_images(images, image_shape, binary=True)


class DiscretizedLogistic:
    """Pixels on 256 levels; the decoder gives a mean and a log-scale per pixel.

    Mean: sigmoid, clipped to the centres of the outer bins, 1/512 and 1 - 1/512. Log-scale: hard
    clip to [min_log_scale, 0]. Both as in Tomczak & Welling's code, where the least is -4.5.

    Args:
        min_log_scale: least log of the logistic's scale. No level inside the range then gets more
            probability than about exp(-min_log_scale) / 1024.
    """

    name = "discretized_logistic"
    outputs_per_pixel = 2

    def __init__(self, min_log_scale=MIN_LOG_SCALE):
        self.min_log_scale = min_log_scale

    def log_prob(self, x, outputs):
        """x `(..., pixels)` of level / 255, outputs `(..., 2 * pixels)` -> `(...)`, nats."""
        pixels = outputs.shape[-1] // 2
        log_scale = ops.clip(outputs[..., pixels:], self.min_log_scale, MAX_LOG_SCALE)
        return discretized_logistic_log_prob(x, self.mean(outputs), log_scale)

    def mean(self, outputs):
        """The logistic's mean, `(..., pixels)` in (0, 1)."""
        pixels = outputs.shape[-1] // 2
        return ops.clip(ops.sigmoid(outputs[..., :pixels]), 1 / 512, 1 - 1 / 512)

    def check(self, images, image_shape):
        """Images `(n, height, width, channels)` as float32 level / 255, or a UserError."""
        checked = check_images(images, image_shape)
        levels = checked * (LEVELS - 1)
        off = np.abs(levels - np.rint(levels)) > 1e-2
        if off.any():
            raise UserError(
                f"{int(off.sum())} of {checked.size} pixels lie between the 256 levels, "
                f"{float(checked[off].flat[0]):g} for one. The discretised logistic likelihood "
                "takes uint8 or floats k / 255; round them with vaekit.images.to_uint8."
            )
        return checked


def likelihood(config):
    """The likelihood of a `presets.Config`."""
    if config.likelihood == Bernoulli.name:
        return Bernoulli(config.min_probability)
    return DiscretizedLogistic(config.min_log_scale)
