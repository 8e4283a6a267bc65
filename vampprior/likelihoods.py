"""Likelihoods p(x given z): Bernoulli pixels, a discretised logistic on 256 levels, or a Gaussian.

Pure functions come first, then the objects that use them.
"""

import math

import keras
import numpy as np
from keras import ops

from vaekit.distributions import gaussian_log_prob
from vaekit.errors import UserError, check_choice, check_positive_number
from vaekit.images import check_images, compact_images

LEVELS = 256
# Bounds in Tomczak & Welling's code, in units of the image's range 0..1.
MIN_LOG_SCALE, MAX_LOG_SCALE = -4.5, 0.0


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

    Level k has the bin from k/256 to (k+1)/256 of a logistic distribution. The two outermost bins
    extend to infinity, so that the 256 probabilities sum to one. Tomczak & Welling (2018) and their
    code omit the outer tails and floor each probability at 1e-7, and their `floor(x * 256)` places
    level 255 outside the range. The three differences affect almost only pixels at 0 and 255.

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


class Likelihood:
    """p(x given z): the meaning of the decoder's outputs, and the images that have a density.

    For a likelihood of your own, write a subclass that implements `log_prob` and `mean` and sets
    `outputs_per_pixel`, and pass it as `VAE(likelihood=...)`. To save it with the model, register
    it with `keras.saving.register_keras_serializable` and return its arguments from `get_config`.

    Attributes:
        outputs_per_pixel: number of parameters that the decoder gives for each pixel value. Its
            outputs are split into this many equal parts along the last axis; each part is one
            parameter of all pixels.
        binary: whether pixels are 0/1.
        dynamic_binarization: whether training draws 0/1 pixels anew from grey levels.
    """

    outputs_per_pixel = 1
    binary = False
    dynamic_binarization = False

    def log_prob(self, x, outputs):
        """log p(x), constants included.

        Args:
            x: `(..., pixels)` in [0, 1].
            outputs: `(..., outputs_per_pixel * pixels)`.
        Returns:
            `(...)`, nats.
        """
        raise NotImplementedError

    def mean(self, outputs):
        """Mean of the pixels, `(..., pixels)` in [0, 1]."""
        raise NotImplementedError

    def check(self, images, image_shape):
        """Images as float32 `(n, height, width, channels)`; raises outside the support."""
        return check_images(images, image_shape, self.binary)

    def compact(self, images, image_shape, training=False):
        """The same in the smallest dtype, for `fit` and `evaluate`: see `images.compact_images`.

        Args:
            images: `(n, height, width, channels)`.
            image_shape: shape of the model's images.
            training: whether training may draw 0/1 pixels from grey levels.
        """
        drawn = training and self.dynamic_binarization
        return compact_images(images, image_shape, self.binary and not drawn)

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable("vampprior")
class Bernoulli(Likelihood):
    """0/1 pixels; the decoder gives one logit per pixel.

    Args:
        min_probability: smallest probability of either value: the decoder's probabilities are
            clipped to [min_probability, 1 - min_probability]. This bounds how much a single pixel
            can lower log p(x), and stops the gradient of pixels that are already certain. Tomczak
            & Welling's code uses 1e-5. 0 clips nothing.
        dynamic_binarization: whether to train on grey levels, from which every batch draws 0/1
            pixels with probability equal to the level. Evaluation still expects 0/1 pixels: draw
            them once with `vaekit.datasets.binarize`.
    """

    binary = True

    def __init__(self, min_probability=0.0, dynamic_binarization=False):
        if not 0 <= min_probability < 0.5:
            raise UserError(
                f"min_probability must be at least 0 and below 0.5, got {min_probability!r}."
            )
        self.min_probability = min_probability
        self.dynamic_binarization = dynamic_binarization

    def log_prob(self, x, outputs):
        return bernoulli_log_prob(x, self._clipped(outputs))

    def mean(self, outputs):
        return ops.sigmoid(self._clipped(outputs))

    def _clipped(self, logits):
        if not self.min_probability:
            return logits
        most = math.log(1 / self.min_probability - 1)
        return ops.clip(logits, -most, most)

    def get_config(self):
        return {
            "min_probability": self.min_probability,
            "dynamic_binarization": self.dynamic_binarization,
        }


@keras.saving.register_keras_serializable("vampprior")
class DiscretizedLogistic(Likelihood):
    """Pixels on 256 levels; the decoder gives a mean and a log-scale per pixel.

    The mean is a sigmoid, clipped to the centres of the outer bins, 1/512 and 1 - 1/512. The
    log-scale is clipped to [min_log_scale, 0]. Both are as in Tomczak & Welling's code, whose
    smallest log-scale is -4.5.

    Args:
        min_log_scale: smallest log of the logistic's scale. It limits the probability of any inner
            level to about exp(-min_log_scale) / 1024.
    """

    outputs_per_pixel = 2

    def __init__(self, min_log_scale=MIN_LOG_SCALE):
        if not -math.inf < min_log_scale < 0:
            raise UserError(f"min_log_scale must be finite and below 0, got {min_log_scale!r}.")
        self.min_log_scale = min_log_scale

    def log_prob(self, x, outputs):
        _, raw = ops.split(outputs, 2, axis=-1)
        log_scale = ops.clip(raw, self.min_log_scale, MAX_LOG_SCALE)
        return discretized_logistic_log_prob(x, self.mean(outputs), log_scale)

    def mean(self, outputs):
        raw, _ = ops.split(outputs, 2, axis=-1)
        return ops.clip(ops.sigmoid(raw), 1 / 512, 1 - 1 / 512)

    def check(self, images, image_shape):
        checked = super().check(images, image_shape)
        _check_levels(checked)
        return checked

    def compact(self, images, image_shape, training=False):
        checked = super().compact(images, image_shape, training)
        _check_levels(checked)
        return checked

    def get_config(self):
        return {"min_log_scale": self.min_log_scale}


@keras.saving.register_keras_serializable("vampprior")
class Gaussian(Likelihood):
    """Continuous pixels in [0, 1] with Gaussian noise; the log-likelihood is a log density.

    The mean is a sigmoid of the decoder's output.

    Args:
        scale: standard deviation of the noise, unit of x. With a number the decoder gives only the
            mean; with None it gives a mean and a log-scale per pixel.
        min_log_scale: smallest log-scale that the decoder can give.
    """

    def __init__(self, scale=None, min_log_scale=MIN_LOG_SCALE):
        self.scale = None if scale is None else check_positive_number("scale", scale)
        self.min_log_scale = min_log_scale
        self.outputs_per_pixel = 2 if scale is None else 1

    def log_prob(self, x, outputs):
        if self.scale is not None:
            return gaussian_log_prob(x, self.mean(outputs), 2 * math.log(self.scale))
        _, raw = ops.split(outputs, 2, axis=-1)
        log_scale = ops.clip(raw, self.min_log_scale, MAX_LOG_SCALE)
        return gaussian_log_prob(x, self.mean(outputs), 2 * log_scale)

    def mean(self, outputs):
        raw = ops.split(outputs, 2, axis=-1)[0] if self.scale is None else outputs
        return ops.sigmoid(raw)

    def get_config(self):
        return {"scale": self.scale, "min_log_scale": self.min_log_scale}


LIKELIHOODS = {
    "bernoulli": Bernoulli,
    "discretized_logistic": DiscretizedLogistic,
    "gaussian": Gaussian,
}


def get(likelihood):
    """The likelihood for a short name, with default arguments; an object is returned unchanged."""
    if isinstance(likelihood, str):
        return LIKELIHOODS[check_choice("likelihood", likelihood, LIKELIHOODS)]()
    if not hasattr(likelihood, "log_prob") or not hasattr(likelihood, "mean"):
        raise UserError(
            f"likelihood must be one of {', '.join(LIKELIHOODS)}, or an object with log_prob and "
            f"mean, got {likelihood!r}."
        )
    return likelihood


def _check_levels(images):
    if images.dtype.kind != "f":
        return
    levels = images * (LEVELS - 1)
    off = np.abs(levels - np.rint(levels)) > 1e-2
    if off.any():
        raise UserError(
            f"Expected pixels on 256 levels for the discretised logistic likelihood, got "
            f"{int(off.sum())} of {images.size} between them, such as {images[off].flat[0]:g}. "
            "Pass uint8 or floats k / 255 (vaekit.images.to_uint8 rounds), or use "
            'likelihood="gaussian".'
        )
