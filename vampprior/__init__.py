"""MLP VAE with standard, mixture, VampPrior and VampPrior-data priors."""

import vaekit
from vampprior.checkpoint import load, save
from vampprior.model import VAE
from vampprior.presets import PRESETS, Config

__all__ = ["PRESETS", "VAE", "Config", "load", "save"]
__version__ = vaekit.__version__
