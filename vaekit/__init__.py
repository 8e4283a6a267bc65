"""What both packages stand on: datasets, FID, distributions, runs, plots and reports."""

import os
import sys

__version__ = "0.1.0"
TENSORFLOW_CAME_FIRST = "tensorflow" in sys.modules and "TF_ENABLE_ONEDNN_OPTS" not in os.environ

# Both are read when TensorFlow is first imported: import these packages before keras.
# TensorFlow's start-up chatter; what matters it raises.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# oneDNN's kernels, which TensorFlow leaves off on processors without AVX-512: on AVX2 they make the
# ResNet's step about twice as fast (benchmarks/balancing_step.py).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
