"""MLP VAE with standard, mixture, VampPrior and VampPrior-data priors."""

import vaekit
from vampprior.checkpoint import load, save
from vampprior.configs import PRESETS, Config
from vampprior.model import VAE

__all__ = ["PRESETS", "VAE", "Config", "load", "save"]
__version__ = vaekit.__version__
