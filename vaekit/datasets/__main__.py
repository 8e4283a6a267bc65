"""python -m vaekit.datasets NAME: find, prepare and describe a dataset."""

import argparse

from vaekit import cli
from vaekit.datasets import NAMES, load
from vaekit.datasets.splits import PARTS


def main(argv=None):
    """Parse the arguments, load the dataset and print its description."""
    parser = argparse.ArgumentParser(prog="python -m vaekit.datasets", description=__doc__)
    parser.add_argument("name", help=f"{', '.join(NAMES)} or folder:PATH")
    parser.add_argument("--data-dir", help=cli.DATA_DIR_HELP)
    parser.add_argument("--split-seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--jpeg", action="store_true", default=None, help="cifar10: compress once as JPEG"
    )
    parser.add_argument("--resize", choices=["bilinear", "nearest"], help="celeba: filter")
    parser.add_argument("--image-size", type=int, help="folder:PATH: crop and resize to this")
    parser.add_argument("--channels", type=int, choices=[1, 3], help="folder:PATH: grey or RGB")
    given = vars(parser.parse_args(argv))
    print(describe(load(check_all=True, **{k: v for k, v in given.items() if v is not None})))


def describe(dataset):
    """Counts, shapes and means of a dataset, as lines of text."""
    lines = [f"{dataset.name}: {dataset.likelihood}", f"source: {dataset.source}"]
    for part in PARTS:
        images = getattr(dataset, part)
        mean = f", mean pixel {images.mean():.5f}" if len(images) else ""
        lines.append(f"{part}: {images.shape} {images.dtype}{mean}")
    return "\n".join([*lines, f"fingerprint: {dataset.fingerprint}"])


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
