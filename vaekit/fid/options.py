"""The FID options of a command line, and the settings that they select."""

import dataclasses

from vaekit.fid.evaluate import evaluate_sets
from vaekit.fid.protocols import PROTOCOLS
from vaekit.fid.registry import EXTRACTORS, INCEPTION, get_extractor

NOT_COMPUTED = "FID was not computed (--no-fid)"


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of an evaluation, as selected by the options of `add_arguments`.

    Attributes:
        enabled: whether any FID is computed.
        protocol: name of a `Protocol`.
        extractor: name of an extractor, or a .keras file.
        inception: path of the Inception weights; None: $VAE_INCEPTION, else TF-Hub.
        grey_to_rgb: whether grey images are repeated to three channels.
        data_dir: folder that keeps the statistics of reference images.
        progress: whether to show a progress bar.
    """

    enabled: bool = True
    protocol: str = "balancing"
    extractor: str = INCEPTION
    inception: str | None = None
    grey_to_rgb: bool = False
    data_dir: str | None = None
    progress: bool = False

    def check(self):
        """Open the extractor now, so that missing weights are noticed before hours of work.

        Raises:
            UserError: no weights.
        """
        if self.enabled:
            get_extractor(self.extractor, self.inception)

    def evaluate(self, real, sets):
        """Rows of `evaluate_sets`; with --no-fid rows without a number that say so."""
        if not self.enabled:
            return [_not_computed(name) for name in sets]
        return evaluate_sets(
            real,
            sets,
            protocol=self.protocol,
            extractor=get_extractor(self.extractor, self.inception),
            grey_to_rgb=self.grey_to_rgb,
            data_dir=self.data_dir,
            progress=self.progress,
        )


def add_arguments(parser, protocol=Settings.protocol):
    """Add the FID options to a parser; `protocol` is the default protocol."""
    group = parser.add_argument_group("FID")
    group.add_argument("--no-fid", action="store_true", help="compute no FID; the report says so")
    add_inception(group)
    group.add_argument("--fid-protocol", choices=list(PROTOCOLS), default=protocol)
    group.add_argument(
        "--fid-extractor", metavar="NAME", default=Settings.extractor, help=extractor_help()
    )
    group.add_argument(
        "--grey-to-rgb", action="store_true", help="repeat grey images to three channels for FID"
    )


def add_inception(parser):
    """Add `--inception PATH`."""
    parser.add_argument(
        "--inception",
        metavar="PATH",
        help="Inception weights: SavedModel folder or frozen graph "
        "(default: $VAE_INCEPTION, else TF-Hub)",
    )


def extractor_help():
    """Help text of an option that names an extractor."""
    return f"{', '.join(EXTRACTORS)}, or a .keras file (default {Settings.extractor})"


def from_arguments(arguments, **changes):
    """The `Settings` of parsed arguments; `changes` set further fields, such as progress."""
    settings = Settings(
        enabled=not arguments.no_fid,
        protocol=arguments.fid_protocol,
        extractor=arguments.fid_extractor,
        inception=arguments.inception,
        grey_to_rgb=arguments.grey_to_rgb,
        data_dir=getattr(arguments, "data_dir", None),
    )
    return dataclasses.replace(settings, **changes)


def _not_computed(name):
    return {"set": name, "label": "FID", "value": None, "warning": NOT_COMPUTED}
