"""Distances of sets of generated images, with everything that a report prints beside them."""

import numpy as np

from vaekit.datasets.splits import PARTS
from vaekit.errors import UserError
from vaekit.fid.cache import reference_statistics
from vaekit.fid.frechet import frechet_distance
from vaekit.fid.measure import Measurement
from vaekit.fid.statistics import Statistics


def evaluate_sets(
    real,
    sets,
    protocol="balancing",
    extractor="inception",
    grey_to_rgb=False,
    data_dir=None,
    progress=False,
):
    """Frechet distances between several sets of images and one reference.

    Args:
        real: a `vaekit.datasets.Dataset` (the protocol names the split; its statistics are kept in
            the data folder), images, or `Statistics`.
        sets: dict from a name such as "GEN-1" to images or `Statistics`.
        protocol, extractor, grey_to_rgb, progress: as in `feature_statistics`.
        data_dir: folder that keeps the statistics of reference images.
    Returns:
        list of dicts, one per set: `set`, `label` ("FID" or "Frechet distance, pixels"), `value`,
        `protocol`, `settings` (one line), `extractor`, `extractor_digest`, `reference`,
        `num_reference`, `num_generated`, `num_features`, `warning` ("" if there is none).
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
    """The distance of one set, with everything that makes it comparable."""
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
    """One line with the number, its name, the protocol and the counts."""
    if row["value"] is None:
        return f"{row['set']}: {row['warning']}"
    return (
        f"{row['set']}: {row['label']} {row['value']:.4f} ({row['num_generated']:,} images against "
        f"{row['num_reference']:,} of {_without_fingerprint(row['reference'])}; protocol "
        f"{row['protocol']})"
    )


def warning(protocol, reference, generated):
    """The reasons why this number is hard to compare, or an empty text."""
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
            f"The {protocol.name} protocol expects {wanted:,} generated images, got "
            f"{generated.count:,}; fewer images give larger distances"
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
    """The images of a dataset's split, and the identity of that split.

    Returns:
        (uint8 images with 0 and 255 for binary pixels, "name:split:fingerprint").
    Raises:
        UserError: an unknown or empty split.
    """
    images = getattr(dataset, split, None) if split in PARTS else None
    if images is None or len(images) == 0:
        raise UserError(
            f"The dataset {dataset.name} has no images in the split {split!r}. Choose train, "
            "validation or test."
        )
    if dataset.likelihood == "bernoulli":
        images = np.asarray(images, np.uint8) * np.uint8(255)
    return images, f"{dataset.name}:{split}:{dataset.fingerprint}"


def _without_fingerprint(reference):
    return reference.rsplit(":", 1)[0] if ":" in reference else reference
