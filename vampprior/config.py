"""Typed settings of a model and its training, and the model arguments that follow from them."""

import math
from dataclasses import dataclass

from vaekit.errors import (
    UserError,
    check_choice,
    check_positive_integer,
    check_positive_number,
)
from vampprior.likelihoods import MIN_LOG_SCALE, Bernoulli, DiscretizedLogistic
from vampprior.priors import MixtureOfGaussians, StandardNormal, VampPrior

PRIORS = ("standard", "vampprior", "vampprior_data", "mixture")
NETWORKS = ("plain", "gated")
LIKELIHOODS = ("bernoulli", "discretized_logistic")
PSEUDO_INPUT_STARTS = ("normal", "data")


@dataclass(frozen=True)
class Config:
    """Everything that defines a model and its training.

    Attributes:
        name: name of the preset.
        dataset: name for `vaekit.datasets.load`, or `folder:PATH`.
        image_shape: (height, width, channels).
        likelihood: one of `LIKELIHOODS`.
        min_probability: P in the clipping of Bernoulli probabilities to [P, 1 - P]; 0 clips
            nothing.
        min_log_scale: smallest log-scale of the discretised logistic; -4.5 in Tomczak & Welling.
        prior: one of `PRIORS`.
        network: "plain" (ReLU, Glorot) or "gated" (Tomczak & Welling).
        hidden_units: widths of the hidden layers of encoder and decoder.
        latent_dim: number of latents.
        num_pseudo_inputs: K, also the number of components of the mixture.
        pseudo_input_start: the VampPrior's pseudo-inputs start as N(mean, std^2) ("normal"), or as
            different training images plus N(0, std^2) ("data"); Tomczak & Welling's code has both.
        pseudo_input_mean, pseudo_input_std: mean and deviation of that start; "data" does not use
            the mean.
        dynamic_binarization: whether training pixels are drawn anew in every batch with probability
            level / 255; validation and test pixels are drawn once.
        batch_size, lr, adam_epsilon: batch size, and settings of Adam. The default epsilon is that
            of Keras; the code of Tomczak & Welling uses 1e-8.
        normalize_gradients: whether to divide each variable's gradient by its norm, as in the code
            of Tomczak & Welling.
        warmup_epochs: number of epochs over which the weight of the KL term rises to 1.
        epochs: largest number of epochs.
        patience: largest number of epochs in a row without a better validation bound, counted from
            the end of warm-up. Then training stops and the weights of the best epoch are restored,
            even if that epoch lies within the warm-up. 0 trains all epochs and keeps the last
            weights.
        seed: seed of weights, noise and batches, and of VampPrior-data's choice of images.
    """

    name: str
    dataset: str
    image_shape: tuple[int, int, int] = (28, 28, 1)
    likelihood: str = "bernoulli"
    min_probability: float = 0.0
    min_log_scale: float = MIN_LOG_SCALE
    prior: str = "vampprior"
    network: str = "plain"
    hidden_units: tuple[int, ...] = (300, 300)
    latent_dim: int = 40
    num_pseudo_inputs: int = 500
    pseudo_input_start: str = "normal"
    pseudo_input_mean: float = 0.0
    pseudo_input_std: float = 0.01
    dynamic_binarization: bool = False
    batch_size: int = 100
    lr: float = 5e-4
    adam_epsilon: float = 1e-7
    normalize_gradients: bool = False
    warmup_epochs: int = 0
    epochs: int = 1000
    patience: int = 0
    seed: int = 0

    def __post_init__(self):
        object.__setattr__(self, "image_shape", tuple(self.image_shape))
        object.__setattr__(self, "hidden_units", tuple(self.hidden_units))
        check_choice("prior", self.prior, PRIORS)
        check_choice("network", self.network, NETWORKS)
        check_choice("likelihood", self.likelihood, LIKELIHOODS)
        check_choice("pseudo_input_start", self.pseudo_input_start, PSEUDO_INPUT_STARTS)
        for name in _COUNTS:
            check_positive_integer(name, getattr(self, name), least=int(name not in _MAY_BE_ZERO))
        for name in ("image_shape", "hidden_units"):
            for size in getattr(self, name):
                check_positive_integer(f"each size of {name}", size)
        check_positive_number("lr", self.lr)
        check_positive_number("adam_epsilon", self.adam_epsilon)
        if not math.isfinite(self.pseudo_input_mean):
            raise UserError(
                f"pseudo_input_mean must be a finite number, got {self.pseudo_input_mean!r}."
            )
        if not 0 <= self.pseudo_input_std < math.inf:
            raise UserError(
                f"pseudo_input_std must be a finite number of at least 0, got "
                f"{self.pseudo_input_std!r}."
            )
        likelihood_of(self)  # its own arguments
        self._check_options_of_the_other_likelihood()

    def _check_options_of_the_other_likelihood(self):
        binary = self.likelihood == "bernoulli"
        if self.min_probability and not binary:
            raise UserError(
                "min_probability clips the probabilities of 0/1 pixels, so it needs likelihood "
                f"'bernoulli', got {self.likelihood!r}."
            )
        if self.min_log_scale != MIN_LOG_SCALE and binary:
            raise UserError(
                "min_log_scale bounds the logistic of grey pixels, so it needs likelihood "
                "'discretized_logistic', got 'bernoulli'."
            )
        if self.dynamic_binarization and not binary:
            raise UserError(
                "dynamic_binarization makes 0/1 pixels, so it needs likelihood 'bernoulli', got "
                f"{self.likelihood!r}."
            )

    @property
    def takes_images(self):
        """Whether the pseudo-inputs are or start as training images."""
        starts = self.prior == "vampprior" and self.pseudo_input_start == "data"
        return starts or self.prior == "vampprior_data"


_MAY_BE_ZERO = ("warmup_epochs", "patience", "seed")
_COUNTS = ("latent_dim", "num_pseudo_inputs", "batch_size", "epochs", *_MAY_BE_ZERO)


def model_arguments(config, without_images=False):
    """The keyword arguments of the `VAE` that a configuration describes.

    Args:
        config: a `Config`.
        without_images: True for a model that contains the posteriors of its pseudo-inputs instead
            of pseudo-inputs that are, or started as, training images; see `checkpoint.save`.
    """
    return {
        "image_shape": config.image_shape,
        "latent_dim": config.latent_dim,
        "prior": _prior(config, without_images),
        "likelihood": likelihood_of(config),
        "hidden_units": config.hidden_units,
        "gated": config.network == "gated",
        "seed": config.seed,
    }


def likelihood_of(config):
    """The `likelihoods.Likelihood` of a configuration."""
    if config.likelihood == "bernoulli":
        return Bernoulli(config.min_probability, config.dynamic_binarization)
    return DiscretizedLogistic(config.min_log_scale)


def _prior(config, without_images):
    k, seed = config.num_pseudo_inputs, config.seed
    if config.prior == "standard":
        return StandardNormal()
    if without_images:
        return MixtureOfGaussians(k, seed, trainable=False)
    if config.prior == "mixture":
        return MixtureOfGaussians(k, seed)
    if config.prior == "vampprior_data":
        return VampPrior(k, start="data", seed=seed, trainable=False)
    start, std = config.pseudo_input_start, config.pseudo_input_std
    return VampPrior(k, start, config.pseudo_input_mean, std, seed)
