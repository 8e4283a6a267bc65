"""One training step of both stages: ours, with Keras' batch norm, and the same network in PyTorch.

The batch size is 100. Each contestant has a process of its own that waits while another is
measured, and rounds alternate, so that all have the same conditions. We compare processor seconds,
because other work on the machine lengthens them much less than wall time.

    python benchmarks/balancing_step.py [--torch-python PYTHON] [--write docs/cost.md]
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# preset -> number of training images; the incomplete batch of an epoch is dropped
IMAGES = {"cifar10": 50_000, "celeba": 162_770}
OURS = {
    "ours, float32": "float32",
    "ours, bfloat16": "bfloat16",
    "ours with Keras' BatchNormalization, float32": "keras_norm",
    "ours with batch norm of plain operations, float32": "plain_norm",
    "ours without oneDNN's kernels, float32": "no_onednn",
}
# Steps with more processor seconds (such as emulated bfloat16) are measured only once.
SLOW = 10.0
PEERS = {"PyTorch, float32": "float32", "PyTorch, bfloat16, channels last": "bfloat16"}


class Contestant:
    """A process that makes one step per input line and answers with its times as JSON."""

    def __init__(self, *command, onednn=True):
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ
            | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
            | {"TF_ENABLE_ONEDNN_OPTS": str(int(onednn))},
        )
        self.wall, self.cpu, self.last = [], [], None
        for _ in range(3):  # traces, compiles, settles
            self.step(keep=False)
            if self.last["cpu"] > SLOW:
                break

    def step(self, keep=True):
        self.process.stdin.write("step\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("A contestant's process ended; see its message above.")
        self.last = json.loads(answer)
        if keep:
            self.wall.append(self.last["wall"])
            self.cpu.append(self.last["cpu"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def serve(stage, preset, kind):
    """Act as a contestant: make one of our training steps per line of standard input."""
    from balancingvae import train  # isort: skip (sets TensorFlow's options)
    import keras
    import numpy as np

    from balancingvae.networks import norm, resnet
    from balancingvae.presets import PRESETS

    config = PRESETS[preset]
    precision = "bfloat16" if kind == "bfloat16" else "float32"
    if kind == "plain_norm":
        norm.normalize = plain_normalize
    if kind == "keras_norm":
        resnet.BatchNorm = lambda name, dtype: keras.layers.BatchNormalization(
            momentum=0.999, epsilon=1e-5, name=name, dtype=dtype
        )
    rng = np.random.default_rng(0)
    if stage == "stage_two":
        model = train.build(config, precision).stage_two
        shape = (config.batch_size, config.latent_dim)
        batch = tuple(rng.random((2, *shape), dtype=np.float32))
    else:
        model = train.build(config, precision).stage_one
        batch = rng.integers(0, 256, (config.batch_size, *config.image_shape), dtype=np.uint8)
    batch = keras.tree.map_structure(keras.ops.convert_to_tensor, batch)
    gflop = step_gflop(model, config.batch_size)
    for line in sys.stdin:
        if line.strip() == "rate":
            print(json.dumps({"rate": product_rate()}))
        else:
            began = time.perf_counter(), time.process_time()
            model.train_on_batch(batch)
            wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
            parameters = int(sum(np.prod(w.shape) for w in model.trainable_weights))
            answer = {"wall": wall, "cpu": cpu, "gflop": gflop, "parameters": parameters}
            print(json.dumps(answer))
        sys.stdout.flush()


def plain_normalize(x, gamma, beta, epsilon):
    """`balancingvae.networks.norm.normalize` as a chain of operations with automatic gradient."""
    from keras import ops

    rows = ops.cast(x, "float32")
    mean, variance = ops.moments(rows, axes=list(range(len(x.shape) - 1)))
    y = (rows - mean) * (gamma * ops.rsqrt(variance + epsilon)) + beta
    return ops.cast(y, x.dtype), ops.stop_gradient(mean), ops.stop_gradient(variance)


def step_gflop(stage, batch_size):
    """GFLOP of the products in a training step: of each layer, and of both gradients."""
    products = 0
    for part in (stage.encoder, stage.decoder):
        for layer in part.layers:
            if hasattr(layer, "kernel"):
                transposed = type(layer).__name__ == "Conv2DTranspose"
                shape = (layer.input if transposed else layer.output).shape
                products += math.prod(layer.kernel.shape) * math.prod(shape[1:-1])
    return 6 * batch_size * products / 1e9


def product_rate(size=1500):
    """Highest rate of float32 matrix products in our backend, GFLOP per processor second."""
    import numpy as np
    from keras import ops

    a = ops.convert_to_tensor(np.random.default_rng(0).random((size, size), dtype=np.float32))
    seconds = []
    for _ in range(6):
        began = time.process_time()
        ops.convert_to_numpy(ops.matmul(a, a))
        seconds.append(time.process_time() - began)
    return 2 * size**3 / min(seconds) / 1e9


def compare(torch_python, rounds):
    """Rows [name, processor seconds, wall seconds, ratio to PyTorch float32] of the ResNet step."""
    contestants = {
        name: Contestant(
            *(sys.executable, __file__, "--serve", "stage_one", "cifar10", kind),
            onednn=kind != "no_onednn",
        )
        for name, kind in OURS.items()
    }
    if torch_python:
        cores = len(os.sched_getaffinity(0))
        for name, kind in PEERS.items():
            contestants[name] = Contestant(torch_python, HERE / "balancing_peer.py", cores, kind)
    for _ in range(rounds):
        for contestant in contestants.values():
            if not contestant.cpu or contestant.cpu[0] < SLOW:
                contestant.step()
    base = contestants.get("PyTorch, float32", contestants["ours, float32"])
    rows = []
    for name, found in contestants.items():
        # Rounds are paired: the median of their ratios is robust if the machine is busy at times.
        ratio = statistics.median(b / a for a, b in zip(found.cpu, base.cpu, strict=False))
        cells = [statistics.median(found.cpu), min(found.cpu), min(found.wall), ratio]
        rows.append([name, *(f"{cell:.2f}" for cell in cells), f"{found.last['parameters']:,}"])
        found.close()
    return rows


def measure(stage, preset, rounds):
    """Median processor seconds and GFLOP of one of our float32 steps, and the product rate."""
    contestant = Contestant(sys.executable, __file__, "--serve", stage, preset, "float32")
    for _ in range(rounds):
        contestant.step()
    contestant.process.stdin.write("rate\n")
    contestant.process.stdin.flush()
    rate = json.loads(contestant.process.stdout.readline())["rate"]
    contestant.close()
    return statistics.median(contestant.cpu), contestant.last["gflop"], rate


def table(columns, rows):
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def report(torch_python, rounds):
    """The text of docs/cost.md."""
    from balancingvae.presets import PRESETS
    from vaekit import environment

    compared = compare(torch_python, rounds)
    cores = len(os.sched_getaffinity(0))
    costs, shares, total = [], [], {}
    for preset, images in IMAGES.items():
        config = PRESETS[preset]
        steps = images // config.batch_size
        for stage, epochs in (("stage_one", config.epochs), ("stage_two", config.epochs2)):
            seconds, gflop, rate = measure(stage, preset, rounds)
            hours = seconds * steps * epochs / 3600
            total[preset] = total.get(preset, 0) + hours
            name = stage.replace("_", " ")
            if name == "stage one" and preset == "cifar10":
                resnet = {"gflop": gflop, "rate": rate, "least": gflop / rate}
            costs.append([preset, name, f"{seconds:.3f}", f"{epochs} x {steps}", f"{hours:,.0f}"])
            if stage == "stage_two":
                share = f"{gflop / seconds / rate:.0%}"
                shares.append(
                    [preset, f"{gflop:.1f}", f"{gflop / seconds:.0f}", f"{rate:.0f}", share]
                )
    days = ", ".join(f"{preset} {hours / cores / 24:,.0f} days" for preset, hours in total.items())
    peer = "" if torch_python else "PyTorch was not measured: no --torch-python was given.\n\n"
    columns = [
        "step of the first stage, cifar10, batch 100",
        "processor s",
        "least",
        "least wall s",
    ]
    return PAGE.format(
        hardware=environment.hardware(),
        backend=f"{environment.environment()['backend']} backend",
        load=f"{os.getloadavg()[0]:.1f}",
        steps=table([*columns, "times as fast as the base", "parameters"], compared),
        peer=peer,
        shares=table(["preset", "GFLOP a step", "GFLOP/s", "of products alone", "share"], shares),
        costs=table(
            ["preset", "stage", "processor s a step", "epochs x steps", "processor hours"], costs
        ),
        days=days,
        cores=cores,
        **resnet,
    )


PAGE = """# What a full training costs

Written by `python benchmarks/balancing_step.py --torch-python PYTHON --write docs/cost.md` on
{hardware}; {backend}; load of the machine {load}. Processor seconds are those of all threads
together; other work on the machine lengthens them less than it lengthens wall time. Rounds
alternate between the contestants. If the load exceeds the number of cores, processor seconds are
too long too (shared caches and memory): then trust the ratios and shares; days are upper bounds.

## The published presets

{costs}

With all {cores} cores at work all the time: {days}. Measured step time times number of steps,
without evaluation. We measured nothing on a GPU. An interrupted run resumes, so you can train in
several sittings; `--epochs`, `--base-dim` and `--images` make a training smaller.

## One step of the ResNet

{steps}

{peer}The base is PyTorch in float32 if it was measured, else ours in float32. The ratio is the
processor seconds of the base divided by those of the contestant, as the median over rounds.

A step is {gflop:.0f} GFLOP of convolutions and dense products; products of large float32 matrices
run at {rate:.0f} GFLOP per processor second here. At that rate the products alone would take
{least:.2f} s.

oneDNN's kernels are on: `import vaekit` sets `TF_ENABLE_ONEDNN_OPTS=1` unless the variable is set
already, so import these packages before keras. By default TensorFlow leaves the kernels off on
processors without AVX-512. bfloat16 helps only if the processor multiplies it in hardware (AVX-512
BF16, AMX). Elsewhere it is emulated, in PyTorch too, so `--precision auto` chooses float32.

## The second stage

A step consists of dense products: 6 x batch x weights operations for the forward pass and both
gradients. In addition, Adam reads and writes three arrays of the size of the weights.

{shares}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--torch-python", help="Python that has torch; PyTorch is measured only with it"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", type=Path, help="file to write the page to")
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return
    page = report(options.torch_python, options.rounds)
    print(page)
    if options.write:
        options.write.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
