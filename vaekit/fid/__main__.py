"""Command line: the distance between two sets of images, with everything it depends on."""

import argparse
import json

from vaekit import cli
from vaekit.errors import UserError
from vaekit.fid.cache import reference_statistics
from vaekit.fid.evaluate import describe, row
from vaekit.fid.measure import Measurement, kernel_distance
from vaekit.fid.options import Settings, add_inception, extractor_help
from vaekit.fid.protocols import PROTOCOLS, STANDARD, get_protocol
from vaekit.fid.registry import get_extractor
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
        raise UserError(
            "Expected two sets of images, got one. Name a second set, or pass --save FILE.npz."
        )
    sources = [open_source(arguments.source, protocol.reference, arguments.data_dir)]
    if arguments.other is not None:
        sources.append(open_source(arguments.other, protocol.reference, arguments.data_dir))
    if arguments.kid and any(isinstance(images, Statistics) for images, _ in sources):
        raise UserError("--kid needs images, got saved statistics. Name the images instead.")
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
            result["kid_label"] = measurement.extractor.kernel_label
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
        value, error = result["kid"], result["kid_standard_error"]
        print(f"{result['kid_label']}: {value:.6f} +- {error:.6f} (standard error)")
    print(f"protocol {result['settings']}")
    print(f"extractor {result['extractor']}, digest {result['extractor_digest'][:16]}")
    if result["warning"]:
        print(f"warning: {result['warning']}")


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m vaekit.fid",
        description="FID of two sets of images, and the protocol of the measurement.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="SOURCE", help="real images")
    parser.add_argument("other", metavar="OTHER", nargs="?", help="generated images")
    parser.add_argument("--protocol", choices=list(PROTOCOLS), default=STANDARD.name)
    parser.add_argument(
        "--extractor",
        metavar="NAME",
        default=Settings.extractor,
        help=extractor_help(),
    )
    add_inception(parser)
    parser.add_argument("--grey-to-rgb", action="store_true", help="repeat grey images")
    parser.add_argument("--kid", action="store_true", help="also print the kernel distance")
    parser.add_argument("--save", metavar="FILE.npz", help="save the statistics of the last set")
    parser.add_argument(
        "--no-cache", action="store_true", help="do not reuse saved statistics of a dataset"
    )
    parser.add_argument("--data-dir", help=cli.DATA_DIR_HELP)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    return parser


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
