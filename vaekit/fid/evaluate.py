"""One row per set of generated images, with everything that a report has to print beside it."""

import dataclasses

import numpy as np

from vaekit.errors import UserError
from vaekit.fid.cache import reference_statistics
from vaekit.fid.extractors import EXTRACTORS, get_extractor
from vaekit.fid.frechet import frechet_distance
from vaekit.fid.measure import Measurement
from vaekit.fid.protocols import PROTOCOLS
from vaekit.fid.statistics import Statistics

NOT_COMPUTED = "FID was not computed (--no-fid)"


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the command-line options of `add_arguments` say."""

    enabled: bool = True
    protocol: str = "balancing"
    extractor: str = "inception"
    inception: str | None = None
    grey_to_rgb: bool = False
    data_dir: str | None = None
    progress: bool = False

    def check(self):
        """Open the extractor now, so that missing weights fail before hours of work and not after.

        Raises:
            UserError: no weights.
        """
        if self.enabled:
            get_extractor(self.extractor, self.inception)

    def evaluate(self, real, sets):
        """Rows of `evaluate_sets`; under --no-fid rows that say so and hold no number."""
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


def add_arguments(parser, protocol="balancing"):
    """Add the FID options to a parser; `protocol` is the default one."""
    group = parser.add_argument_group("FID")
    group.add_argument("--no-fid", action="store_true", help="compute no FID; the report says so")
    group.add_argument(
        "--inception",
        metavar="PATH",
        help="Inception weights: SavedModel folder or frozen graph "
        "(default: $VAE_INCEPTION, else TF-Hub)",
    )
    group.add_argument("--fid-protocol", choices=list(PROTOCOLS), default=protocol)
    group.add_argument(
        "--fid-extractor",
        metavar="NAME",
        default="inception",
        help=f"{', '.join(EXTRACTORS)}, or a .keras file (default inception)",
    )
    group.add_argument(
        "--grey-to-rgb", action="store_true", help="repeat grey images to three channels for FID"
    )


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


def evaluate_sets(
    real,
    sets,
    protocol="balancing",
    extractor="inception",
    grey_to_rgb=False,
    data_dir=None,
    progress=False,
):
    """Frechet distances of several sets of images from one reference.

    Args:
        real: a `vaekit.datasets.Dataset` (the protocol names the split; its statistics are kept in
            the data folder), images, or `Statistics`.
        sets: dict from a name such as "GEN-1" to images or `Statistics`.
        protocol, extractor, grey_to_rgb, progress: as in `feature_statistics`.
        data_dir: where reference statistics are kept.
    Returns:
        list of dicts, one per set: `set`, `label` ("FID" or "Frechet distance, pixels"), `value`,
        `protocol`, `settings` (one line), `extractor`, `extractor_digest`, `reference`,
        `num_reference`, `num_generated`, `num_features`, `warning` ("" when there is none).
    """
    measurement = Measurement(protocol, extractor, grey_to_rgb, progress)
    reference = _reference(measurement, real, data_dir)
    rows = []
    for name, images in sets.items():
        if isinstance(images, Statistics):
            generated = measurement.accept(images, generated=True)
        else:
            generated = measurement.statistics(images, generated=True)
        rows.append(row(name, measurement, reference, generated))
    return rows


def row(name, measurement, reference, generated):
    """One set's distance with everything that makes it comparable."""
    protocol, extractor = measurement.protocol, measurement.extractor
    return {
        "set": name,
        "label": extractor.label,
        "value": frechet_distance(reference, generated),
        "protocol": protocol.name,
        "settings": protocol.describe(),
        "extractor": extractor.name,
        "extractor_digest": extractor.digest,
        "reference": reference.dataset or "given images",
        "num_reference": reference.count,
        "num_generated": generated.count,
        "num_features": len(reference.mean),
        "warning": warning(protocol, reference, generated),
    }


def describe(row):
    """One line: the number, its name, protocol and counts."""
    if row["value"] is None:
        return f"{row['set']}: {row['warning']}"
    return (
        f"{row['set']}: {row['label']} {row['value']:.4f} ({row['num_generated']:,} images against "
        f"{row['num_reference']:,} of {_without_fingerprint(row['reference'])}; protocol "
        f"{row['protocol']})"
    )


def warning(protocol, reference, generated):
    """What makes this number hard to compare, or an empty text."""
    features, fewest = len(reference.mean), min(reference.count, generated.count)
    notes = []
    if fewest <= features:
        notes.append(
            f"{fewest:,} images are too few for {features:,} features: the covariance is singular, "
            "which biases the distance (for FID typically upwards, by several points or more); "
            "compare it only with numbers from the same counts"
        )
    wanted = protocol.num_generated // protocol.whole_batches * protocol.whole_batches
    if generated.count < wanted:
        notes.append(
            f"the {protocol.name} protocol takes {wanted:,} generated images, {generated.count:,} "
            "were given; fewer images give larger distances"
        )
    return ". ".join(notes)


def _reference(measurement, real, data_dir):
    if isinstance(real, Statistics):
        return measurement.accept(real)
    if not hasattr(real, "fingerprint"):
        return measurement.statistics(real)
    split = measurement.protocol.reference
    images, identity = dataset_split(real, split)
    return reference_statistics(measurement, images, identity, data_dir)


def dataset_split(dataset, split):
    """The images of a dataset's split, binary ones as 0 and 255, and the split's identity.

    Raises:
        UserError: no such split.
    """
    images = getattr(dataset, split, None) if split in ("train", "validation", "test") else None
    if images is None or len(images) == 0:
        raise UserError(
            f"The dataset {dataset.name} has no images in a split {split!r}; splits are train, "
            "validation and test."
        )
    if dataset.likelihood == "bernoulli":
        images = np.asarray(images, np.uint8) * np.uint8(255)
    return images, f"{dataset.name}:{split}:{dataset.fingerprint}"


def _without_fingerprint(reference):
    return reference.rsplit(":", 1)[0] if ":" in reference else reference


def _not_computed(name):
    return {"set": name, "label": "FID", "value": None, "warning": NOT_COMPUTED}
