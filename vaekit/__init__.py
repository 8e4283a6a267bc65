"""The shared foundation of both packages: datasets, FID, distributions, training, runs, reports.

Importing it is cheap and sets two options of TensorFlow; rooms and modules are imported by name.
"""

import os
import sys

__version__ = "0.1.0"
TENSORFLOW_WAS_IMPORTED_FIRST = (
    "tensorflow" in sys.modules and "TF_ENABLE_ONEDNN_OPTS" not in os.environ
)

# TensorFlow reads both when it is first imported, so import these packages before keras.
# This one silences TensorFlow's start-up messages; its errors are raised all the same.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TensorFlow leaves oneDNN's kernels off on processors without AVX-512, but with AVX2 they make the
# ResNet's step about twice as fast (benchmarks/balancing_step.py).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
