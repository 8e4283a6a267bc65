"""FID that names its protocol: streaming statistics, exact distances, tf-gan's Inception network.

`fid(real, fake)` and `kid(real, fake)` take images; `evaluate_sets` gives report rows;
`python -m vaekit.fid` is the command line. TensorFlow is imported only where a network runs in it.
"""

from vaekit.fid.evaluate import Settings, add_arguments, describe, evaluate_sets, from_arguments
from vaekit.fid.extractors import (
    EXTRACTORS,
    Extractor,
    KerasExtractor,
    get_extractor,
    register_extractor,
)
from vaekit.fid.frechet import frechet_distance
from vaekit.fid.inception import InceptionExtractor
from vaekit.fid.measure import feature_statistics, fid, kernel_distance, kid
from vaekit.fid.protocols import PROTOCOLS, Protocol, get_protocol
from vaekit.fid.statistics import Moments, Statistics

__all__ = [
    "EXTRACTORS",
    "PROTOCOLS",
    "Extractor",
    "InceptionExtractor",
    "KerasExtractor",
    "Moments",
    "Protocol",
    "Settings",
    "Statistics",
    "add_arguments",
    "describe",
    "evaluate_sets",
    "feature_statistics",
    "fid",
    "frechet_distance",
    "from_arguments",
    "get_extractor",
    "get_protocol",
    "kernel_distance",
    "kid",
    "register_extractor",
]
