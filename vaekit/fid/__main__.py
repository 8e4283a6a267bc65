"""Command line: the distance between two sets of images, with everything that it depends on."""

import argparse
import json

from vaekit import cli
from vaekit.errors import UserError
from vaekit.fid.cache import reference_statistics
from vaekit.fid.evaluate import describe, row
from vaekit.fid.extractors import EXTRACTORS, get_extractor
from vaekit.fid.measure import Measurement, kernel_distance
from vaekit.fid.protocols import PROTOCOLS, get_protocol
from vaekit.fid.sources import open_source
from vaekit.fid.statistics import Statistics

EPILOG = """SOURCE and OTHER: a folder, .zip or .tar of images; .npy or .npz arrays of images
(FILE.npz:KEY); a run's directory with samples.npz; saved statistics (.npz); or a dataset's split
such as cifar10:test. SOURCE holds the real images, OTHER the generated ones.

protocols:
""" + "\n".join(f"  {p.describe()}" for p in PROTOCOLS.values())


def main(argv=None):
    """Parse the arguments, measure, print."""
    arguments = _parser().parse_args(argv)
    protocol = get_protocol(arguments.protocol)
    if arguments.other is None and not arguments.save:
        raise UserError("One set of images came: name a second one, or --save FILE.npz.")
    sources = [open_source(arguments.source, protocol.reference, arguments.data_dir)]
    if arguments.other is not None:
        sources.append(open_source(arguments.other, protocol.reference, arguments.data_dir))
    if arguments.kid and any(isinstance(images, Statistics) for images, _ in sources):
        raise UserError("--kid needs the images themselves; saved statistics came.")
    measurement = Measurement(
        protocol,
        get_extractor(arguments.extractor, arguments.inception),
        arguments.grey_to_rgb,
        progress=not arguments.quiet,
    )
    keep = [[], []] if arguments.kid and len(sources) == 2 else [None, None]
    statistics = [
        _statistics(measurement, *source, side, keep[side], arguments)
        for side, source in enumerate(sources)
    ]
    if arguments.save:
        statistics[-1].save(arguments.save)
    if len(statistics) == 2:
        result = row(arguments.other, measurement, *statistics)
        if arguments.kid:
            result["kid"], result["kid_standard_error"] = kernel_distance(*map(_joined, keep))
        _print(result, arguments)
    else:
        print(f"{arguments.save}: statistics of {statistics[0].count:,} images")


def _statistics(measurement, images, identity, side, keep, arguments):
    generated = side == 1
    if isinstance(images, Statistics):
        return measurement.accept(images, generated)
    if identity and not generated and keep is None and not arguments.no_cache:
        return reference_statistics(measurement, images, identity, arguments.data_dir)
    return measurement.statistics(images, generated, identity, keep)


def _joined(batches):
    import numpy as np

    return np.concatenate(batches)


def _print(result, arguments):
    if arguments.json:
        print(json.dumps(result, indent=1))
        return
    print(describe(result))
    if "kid" in result:
        name = "KID" if result["label"] == "FID" else f"Kernel distance, {result['extractor']}"
        print(f"{name}: {result['kid']:.6f} +- {result['kid_standard_error']:.6f} (standard error)")
    print(f"protocol {result['settings']}")
    print(f"extractor {result['extractor']}, digest {result['extractor_digest'][:16]}")
    if result["warning"]:
        print(f"warning: {result['warning']}")


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m vaekit.fid",
        description="FID of two sets of images, with the protocol that it was measured under.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="SOURCE", help="real images")
    parser.add_argument("other", metavar="OTHER", nargs="?", help="generated images")
    parser.add_argument("--protocol", choices=list(PROTOCOLS), default="standard")
    parser.add_argument(
        "--extractor",
        metavar="NAME",
        default="inception",
        help=f"{', '.join(EXTRACTORS)}, or a .keras file (default inception)",
    )
    parser.add_argument(
        "--inception",
        metavar="PATH",
        help="Inception weights: SavedModel folder or frozen graph "
        "(default: $VAE_INCEPTION, else TF-Hub)",
    )
    parser.add_argument("--grey-to-rgb", action="store_true", help="repeat grey images")
    parser.add_argument("--kid", action="store_true", help="print the kernel distance too")
    parser.add_argument("--save", metavar="FILE.npz", help="keep the statistics of the last set")
    parser.add_argument(
        "--no-cache", action="store_true", help="compute a dataset's statistics even if kept"
    )
    parser.add_argument("--data-dir", help="datasets (default: $VAE_DATA_DIR, else ./data)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    return parser


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
