"""Two-stage balanced VAE: computed gamma, variance loss and renormalisation.

Asperti & Trentin (2020), arXiv 2002.07514, and Asperti (LOD 2020), after Dai & Wipf (ICLR 2019).
"""

import vaekit
from balancingvae import gamma, networks
from balancingvae.checkpoint import load, save
from balancingvae.gamma import (
    BatchGamma,
    ComputedGamma,
    FixedGamma,
    LearnedGamma,
    RunningAverageGamma,
)
from balancingvae.model import BalancedVAE, LatentVAE, TwoStageVAE
from balancingvae.presets import PRESETS, Config, preset
from balancingvae.sampling import Sampling
from balancingvae.tf1.importer import import_tf1_checkpoint

__all__ = [
    "PRESETS",
    "BalancedVAE",
    "BatchGamma",
    "ComputedGamma",
    "Config",
    "FixedGamma",
    "LatentVAE",
    "LearnedGamma",
    "RunningAverageGamma",
    "Sampling",
    "TwoStageVAE",
    "gamma",
    "import_tf1_checkpoint",
    "load",
    "networks",
    "preset",
    "save",
]
__version__ = vaekit.__version__
