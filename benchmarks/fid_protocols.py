"""How far each setting of an FID protocol moves a Frechet distance on the same images.

    python benchmarks/fid_protocols.py [--images 1000] [--data-dir PATH] [--write]

The distance is between real CIFAR-10 test images and other test images after blur, loss of contrast
and noise. The features are those of a network with random weights, so the numbers are not FIDs;
they show how much of a difference the protocol alone makes. --write saves the table in docs/fid.md.
"""

import argparse
import dataclasses
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from PIL import Image, ImageFilter

from vaekit import datasets, files
from vaekit.environment import hardware
from vaekit.fid import KerasExtractor, feature_statistics, frechet_distance, get_protocol

PAGE = Path(__file__).parents[1] / "docs" / "fid.md"
MARKS = ("<!-- protocols: begin -->", "<!-- protocols: end -->")
SWITCHES = {
    "nothing: the balancing papers' protocol": {},
    "resize: bilinear with half-pixel centres": {"resize": "bilinear"},
    "resize: clean (Pillow bicubic, antialiased)": {"resize": "clean"},
    "scaling: (x - 128)/128 instead of x/127.5 - 1": {"scaling": "minus128"},
    "generated images rounded to uint8": {"round_uint8": True},
    "covariance over n instead of n - 1": {"ddof": 0},
    "each generated image stretched to 0..1 (Dai & Wipf)": {"stretch_generated": True},
    "reference: as many training images": {"reference": "train"},
    "reference: four times as many training images": {"reference": "train", "times": 4},
    "half as many generated images": {"half": True},
}


def network():
    """Four strided convolutions with random weights (He, seed 0) at 299 x 299: 256 features."""
    layers = [keras.layers.Input((299, 299, 3))]
    for seed, (width, kernel, stride) in enumerate(
        ((32, 7, 4), (64, 3, 2), (128, 3, 2), (256, 3, 2))
    ):
        layers.append(
            keras.layers.Conv2D(
                width,
                kernel,
                stride,
                activation="relu",
                kernel_initializer=keras.initializers.HeNormal(seed),
            )
        )
    model = keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D()])
    return KerasExtractor(model, "a random convolution network (4 layers, seed 0)", scaled=True)


def degraded(images, seed):
    """Floats in [0, 1] with blur, 80% of the contrast and a little noise, like samples of a VAE."""
    rng = np.random.default_rng(seed)
    blur = ImageFilter.GaussianBlur(0.7)
    blurred = np.stack([np.asarray(Image.fromarray(image).filter(blur)) for image in images])
    x = 0.5 + 0.8 * (blurred / 255 - 0.5) + 0.01 * rng.standard_normal(images.shape)
    return np.clip(x, 0, 1).astype(np.float32)


def distances(test, train, count):
    """dict of switch -> distance; statistics that two rows share are computed once."""
    extractor, kept = network(), {}
    order = np.random.default_rng(0).permutation(len(test))
    real, fake = test[order[:count]], degraded(test[order[count : 2 * count]], seed=0)
    train = train[np.random.default_rng(0).permutation(len(train))]
    base = dataclasses.replace(get_protocol("balancing"), whole_batches=1)
    relevant = ("resize", "scaling", "round_uint8", "ddof", "stretch_generated")

    def statistics(name, images, protocol, generated):
        key = (name, len(images), *(getattr(protocol, k) for k in relevant))
        if not generated:  # uint8 and never stretched
            protocol = dataclasses.replace(protocol, round_uint8=False, stretch_generated=False)
            key = (name, len(images), protocol.resize, protocol.scaling, protocol.ddof)
        if key not in kept:
            kept[key] = feature_statistics(images, extractor, protocol, generated)
        return dataclasses.replace(kept[key], protocol="")

    result = {}
    for label, switch in SWITCHES.items():
        switch = dict(switch)
        times, half = switch.pop("times", 1), switch.pop("half", False)
        protocol = dataclasses.replace(base, **switch)
        reference = train[: times * count] if protocol.reference == "train" else real
        a = statistics(protocol.reference, reference, protocol, False)
        b = statistics("fake", fake[: count // 2] if half else fake, protocol, True)
        result[label] = frechet_distance(a, b)
        print(f"{result[label]:12.6g}  {label}", flush=True)
    return result


def table(result):
    """Markdown rows: the switch, the distance, its change in per cent."""
    first = next(iter(result.values()))
    lines = ["| changed against the first row | distance | change |", "|---|---|---|"]
    for label, value in result.items():
        lines.append(f"| {label} | {value:.4g} | {100 * (value / first - 1):+.1f}% |")
    return "\n".join(lines)


def main():
    """Measure, print, and with --write save the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1000, help="images on either side")
    parser.add_argument("--data-dir", help="data folder (default: $VAE_DATA_DIR, else ./data)")
    parser.add_argument("--write", action="store_true", help=f"update the table in {PAGE.name}")
    arguments = parser.parse_args()
    cifar = datasets.load("cifar10", arguments.data_dir)
    began = time.perf_counter()
    result = distances(cifar.test, cifar.train, arguments.images)
    seconds = time.perf_counter() - began
    note = (
        f"Frechet distance, {network().name}: {arguments.images:,} CIFAR-10 test images against "
        f"{arguments.images:,} other ones after blur, loss of contrast and noise; seed 0; "
        f"{hardware()}, {seconds:.0f} s; data: {cifar.source}. "
        f"Made by `python benchmarks/fid_protocols.py --images {arguments.images} --write`."
    )
    text = f"{table(result)}\n\n{note}"
    print(text)
    if arguments.write:
        before, rest = PAGE.read_text(encoding="utf-8").split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        files.write_text(PAGE, f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}")


if __name__ == "__main__":
    main()
