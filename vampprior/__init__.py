"""VAEs with a VampPrior, and with the priors that it is compared with.

Tomczak & Welling, "VAE with a VampPrior", AISTATS 2018; KTH report (2021).
"""

import vaekit
from vampprior.callbacks import WarmUp
from vampprior.checkpoint import save
from vampprior.config import Config
from vampprior.likelihoods import Bernoulli, DiscretizedLogistic, Gaussian, Likelihood
from vampprior.model import VAE
from vampprior.networks import DenseDecoder, DenseEncoder
from vampprior.presets import PRESETS, preset
from vampprior.priors import Mixture, MixtureOfGaussians, Prior, StandardNormal, VampPrior

load = VAE.from_run

__all__ = [
    "PRESETS",
    "VAE",
    "Bernoulli",
    "Config",
    "DenseDecoder",
    "DenseEncoder",
    "DiscretizedLogistic",
    "Gaussian",
    "Likelihood",
    "Mixture",
    "MixtureOfGaussians",
    "Prior",
    "StandardNormal",
    "VampPrior",
    "WarmUp",
    "load",
    "preset",
    "save",
]
__version__ = vaekit.__version__
