"""FID with a named protocol: streaming statistics, exact distances, tf-gan's Inception network.

`fid(real, fake)` and `kid(real, fake)` compare images; `evaluate_sets` returns rows for a report;
`python -m vaekit.fid` is the command line. The names below are for use from outside. TensorFlow is
imported only to run a network.
"""

from vaekit.fid.evaluate import describe, evaluate_sets
from vaekit.fid.extractors import Extractor, KerasExtractor
from vaekit.fid.frechet import frechet_distance
from vaekit.fid.inception import InceptionExtractor
from vaekit.fid.measure import feature_statistics, fid, kernel_distance, kid
from vaekit.fid.options import Settings, add_arguments, from_arguments
from vaekit.fid.protocols import PROTOCOLS, Protocol, get_protocol
from vaekit.fid.registry import EXTRACTORS, get_extractor, register_extractor
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
