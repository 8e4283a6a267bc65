"""Shared parts of the VampPrior benchmarks: the peer's process, our model, the product rate."""

import argparse
import dataclasses
import json
import os
import resource
import subprocess
import sys
import time
import venv
from pathlib import Path

import numpy as np

from vaekit import environment
from vampprior import PRESETS

HERE = Path(__file__).resolve().parent
PRESET = "tomczak_static_mnist_vampprior"  # K = 500, gated 784-300-300-40, Bernoulli
# pythae requires the package `dataclasses`, which is now part of Python and cannot be installed, so
# its other dependencies are listed here.
PEER_PACKAGES = (
    ["--no-deps", "pythae==0.1.2"],
    ["torch==2.13.0", "pydantic>=2", "cloudpickle", "numpy"],
    ["scipy", "scikit-learn", "tqdm", "imageio"],
)


def arguments(description, **defaults):
    """The command line of both benchmarks."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--peer-python", help="Python that has torch and pythae 0.1.2")
    parser.add_argument(
        "--peer-venv",
        default="build/peers/pythae",
        help="virtual environment with them, created if it is missing",
    )
    parser.add_argument("--no-peer", action="store_true", help="measure ours alone")
    for name, value in defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    return parser.parse_args()


class Peer:
    """pythae in a process of its own, controlled by a pipe; it is idle while ours is measured."""

    def __init__(self, options):
        python = options.peer_python or _peer_python(Path(options.peer_venv))
        self.process = subprocess.Popen(
            [python, HERE / "vampprior_peer.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do, **request):
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("The peer's process ended; see its message above.")
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def _peer_python(folder):
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"installing pythae and torch into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        for packages in PEER_PACKAGES:
            subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def configuration(components=500):
    """The preset with K pseudo-inputs and plain Adam, which the peer uses too."""
    return dataclasses.replace(
        PRESETS[PRESET], num_pseudo_inputs=components, normalize_gradients=False
    )


def binary_images(count):
    return (np.random.default_rng(0).random((count, 28, 28, 1)) < 0.13).astype("uint8")


def step_flops(batch=100, components=500, pixels=784, hidden=300, latents=40):
    """Multiplications and additions of the matrix products in one training step.

    The product of each layer counts three times, for the forward pass and both gradients. The
    images need no gradient, but the pseudo-inputs do.
    """
    first, second = pixels * 2 * hidden, hidden * 2 * hidden
    both = batch + components
    encoder = first * (2 * batch + 3 * components) + 3 * both * (second + hidden * 2 * latents)
    decoder = 3 * batch * (latents * 2 * hidden + second + hidden * pixels)
    prior = 2 * 3 * batch * components * latents
    return 2 * (encoder + decoder + prior)


def likelihood_flops(samples, components=500, pixels=784, hidden=300, latents=40):
    """The same for the log-likelihood of one image: decoder and prior, forward only."""
    decoder = latents * 2 * hidden + hidden * 2 * hidden + hidden * pixels
    return 2 * samples * (decoder + 2 * components * latents)


def product_rate(size=1000):
    """Highest rate of float32 matrix products in our backend, GFLOP/s."""
    import keras
    from keras import ops

    a = ops.convert_to_tensor(np.random.default_rng(0).random((size, size), dtype=np.float32))
    seconds = []
    for _ in range(8):
        began = time.perf_counter()
        keras.ops.convert_to_numpy(ops.matmul(a, a))
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / min(seconds) / 1e9


def timed(function):
    """Call `function` and return its seconds, [wall, processor time of all threads]."""
    wall, processor = time.perf_counter(), time.process_time()
    function()
    return [time.perf_counter() - wall, time.process_time() - processor]


class Measured:
    """Milliseconds of several rounds, wall and processor, of ours or of a peer."""

    def __init__(self):
        self.rounds = []

    def add(self, seconds, per=1):
        self.rounds.append([1e3 * each / per for each in seconds])

    @property
    def wall(self):
        return float(np.median(self.rounds, axis=0)[0])

    @property
    def best(self):
        return float(np.min(self.rounds, axis=0)[0])

    @property
    def processor(self):
        return float(np.median(self.rounds, axis=0)[1])

    def __str__(self):
        return f"{self.wall:.1f} ({self.best:.1f}) | {self.processor:.1f}"


def times_faster(ours, theirs):
    """Median over rounds of the paired ratios of wall time and of processor time."""
    ratios = np.array(theirs.rounds) / np.array(ours.rounds)
    return np.median(ratios, axis=0)


def peak_memory():
    """Peak resident memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def heading():
    import keras

    print(
        f"{environment.hardware()}; backend {keras.backend.backend()}; "
        f"load {os.getloadavg()[0]:.1f}"
    )
