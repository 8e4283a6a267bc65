"""Two-stage balanced VAE: computed gamma, variance loss and renormalisation.

Asperti & Trentin (2020), arXiv 2002.07514, and Asperti (LOD 2020), after Dai & Wipf (ICLR 2019).
"""

import vaekit
from balancingvae.checkpoint import load, save
from balancingvae.model import TwoStageVAE
from balancingvae.presets import PRESETS, Config, preset
from balancingvae.tf1.importer import import_tf1_checkpoint

__all__ = ["PRESETS", "Config", "TwoStageVAE", "import_tf1_checkpoint", "load", "preset", "save"]
__version__ = vaekit.__version__
