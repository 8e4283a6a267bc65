"""What both packages stand on: datasets, FID, distributions, runs, plots and reports."""

import os

__version__ = "0.1.0"

# TensorFlow's start-up chatter; what matters it raises. Read when TensorFlow is first imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
