"""python -m vaekit.datasets NAME: find, prepare and describe a dataset."""

import argparse
import sys

from vaekit.datasets import NAMES, load
from vaekit.datasets.splits import PARTS
from vaekit.errors import UserError


def main(arguments=None):
    """Parse the command line, load and describe; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m vaekit.datasets", description=__doc__)
    parser.add_argument("name", help=f"{', '.join(NAMES)} or folder:PATH")
    parser.add_argument("--data-dir", help="default: $VAE_DATA_DIR, else ./data")
    parser.add_argument("--split-seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--jpeg", action="store_true", default=None, help="cifar10: compress once as JPEG"
    )
    parser.add_argument("--resize", choices=["bilinear", "nearest"], help="celeba: filter")
    parser.add_argument("--image-size", type=int, help="folder:PATH: crop and resize to this")
    parser.add_argument("--channels", type=int, choices=[1, 3], help="folder:PATH: grey or RGB")
    given = vars(parser.parse_args(arguments))
    try:
        print(describe(load(check_all=True, **{k: v for k, v in given.items() if v is not None})))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def describe(dataset):
    """Counts, shapes and means of a dataset, as lines of text."""
    lines = [f"{dataset.name}: {dataset.likelihood}", f"source: {dataset.source}"]
    for part in PARTS:
        images = getattr(dataset, part)
        mean = f", mean pixel {images.mean():.5f}" if len(images) else ""
        lines.append(f"{part}: {images.shape} {images.dtype}{mean}")
    return "\n".join([*lines, f"fingerprint: {dataset.fingerprint}"])


if __name__ == "__main__":
    sys.exit(main())
