"""Frechet distance: time and agreement with tf-gan, scipy's formula, pytorch-fid, torch-fidelity.

    OPENBLAS_NUM_THREADS=1 python benchmarks/fid.py --threads 1 [--peer-python PATH]

One run measures all of them on the same features, in processor seconds. With one thread these are
about the seconds that an idle core would need, and other programs hardly change their ratios. (With
more threads OpenBLAS, which numpy and scipy use, spends time waiting for busy cores.) Only the
interpreter given by --peer-python needs the PyTorch packages (pip install torch numpy scipy pillow
tqdm; pip install --no-deps pytorch-fid torch-fidelity). Their distance functions do not need
torchvision, but their modules import it; if it is missing, empty modules replace it.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from vaekit.environment import hardware
from vaekit.fid import Moments, Statistics, frechet_distance, tfgan_import

PEERS = """
import sys, types, json, time, importlib.util
from unittest.mock import MagicMock
class Empty(MagicMock):
    __path__ = []
    __spec__ = None
if importlib.util.find_spec("torchvision") is None:
    for name in ("torchvision", "torchvision.transforms", "torchvision.transforms.functional",
                 "torchvision.models", "torchvision.datasets", "torchvision.transforms.v2"):
        sys.modules[name] = Empty()
import numpy as np
arrays = np.load(sys.argv[1])
def measure(import_function):
    try:
        function = import_function()
        began = time.process_time()
        value = function()
        return {"value": float(value), "seconds": time.process_time() - began}
    except Exception as error:
        return {"error": repr(error)}
def pytorch_fid():
    from pytorch_fid.fid_score import calculate_frechet_distance as distance
    return lambda: distance(arrays["mean_a"], arrays["covariance_a"],
                            arrays["mean_b"], arrays["covariance_b"])
def torch_fidelity():
    from torch_fidelity.metric_fid import fid_statistics_to_metric as distance
    stats = [{"mu": arrays["mean_" + s], "sigma": arrays["covariance_" + s]} for s in "ab"]
    return lambda: distance(*stats, False)["frechet_inception_distance"]
print(json.dumps({"pytorch-fid": measure(pytorch_fid), "torch-fidelity": measure(torch_fidelity)}))
"""


def features(count, width, seed):
    """Rectified mixtures, as skewed and correlated as the last features of a network."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(0).standard_normal((256, width)) / 16
    latent = rng.standard_normal((count, 256)) * (1 + 0.05 * seed)
    return np.maximum(latent @ mixing + 0.3 * rng.standard_normal((count, width)), 0).astype("f4")


def statistics(array):
    """Our streaming statistics, in batches of 256."""
    moments = Moments()
    for start in range(0, len(array), 256):
        moments.update(array[start : start + 256])
    return moments.statistics(Statistics(np.zeros(0), np.zeros((0, 0)), 0))


def timed(function, repeats=1):
    """(result, processor seconds of the fastest call)."""
    seconds = []
    for _ in range(repeats):
        began = time.process_time()
        result = function()
        seconds.append(time.process_time() - began)
    return result, min(seconds)


def peers(python, a, b):
    """Results of the PyTorch packages, computed by their own interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statistics.npz"
        sides = {"a": a, "b": b}
        arrays = {f"mean_{k}": s.mean for k, s in sides.items()}
        np.savez(path, **arrays, **{f"covariance_{k}": s.covariance for k, s in sides.items()})
        done = subprocess.run(
            [python, "-c", PEERS, str(path)], capture_output=True, text=True, check=True
        )
    return json.loads(done.stdout.splitlines()[-1])


def scipy_distance(a, b):
    """The usual formula, with scipy's square root of the product."""
    import scipy.linalg

    root = scipy.linalg.sqrtm(a.covariance @ b.covariance).real
    traces = np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.trace(root)
    return np.sum((a.mean - b.mean) ** 2) + traces


def main():
    """Measure and print one line per implementation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=0, help="TensorFlow's (default: all cores)")
    parser.add_argument("--peer-python", help="interpreter with pytorch-fid and torch-fidelity")
    arguments = parser.parse_args()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "all"), arguments.threads or "all"
    x, y = (features(arguments.images, arguments.features, seed) for seed in (1, 2))
    print(
        f"{arguments.images} x {arguments.features} features, seeds 1 and 2; {hardware()}; "
        f"threads: OpenBLAS {threads[0]}, TensorFlow {threads[1]}; processor seconds"
    )
    (a, b), streaming = timed(lambda: (statistics(x), statistics(y)), repeats=3)
    ours, distance = timed(lambda: frechet_distance(a, b), repeats=3)
    seconds = streaming + distance
    print(
        f"vaekit          {ours:.10f}  {seconds:6.2f} s ({streaming:.2f} statistics of both sets)"
    )
    theirs = tfgan_import.classifier_metrics().frechet_classifier_distance_from_activations
    for name, dtype in (("tf-gan float32", tf.float32), ("tf-gan float64", tf.float64)):
        value, other = timed(lambda d=dtype: float(theirs(tf.constant(x, d), tf.constant(y, d))), 2)
        report(name, value, other, ours, seconds)
    value, other = timed(lambda: scipy_distance(a, b))
    report("scipy sqrtm", value, other, ours, distance)
    results = peers(arguments.peer_python, a, b) if arguments.peer_python else {}
    for name, result in results.items():
        if "error" in result:
            print(f"{name:15} could not run: {result['error']}")
        else:
            report(name, result["value"], result["seconds"], ours, distance)


def report(name, value, seconds, ours, our_seconds):
    """One line: value, time, relative difference, and how many times faster ours is."""
    difference = abs(value - ours) / ours
    print(
        f"{name:15} {value:.10f}  {seconds:6.2f} s  relative difference {difference:.1e}  "
        f"ours {seconds / our_seconds:.1f} times faster"
    )


if __name__ == "__main__":
    main()
