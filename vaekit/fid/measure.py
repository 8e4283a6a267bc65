"""Features, their statistics, and the distances between two sets of images."""

import dataclasses
import sys

import numpy as np
from tqdm import tqdm

from vaekit.errors import UserError
from vaekit.fid import tfgan_import
from vaekit.fid.frechet import frechet_distance
from vaekit.fid.pixels import prepare
from vaekit.fid.protocols import get_protocol
from vaekit.fid.registry import get_extractor
from vaekit.fid.statistics import Moments, Statistics

MAX_FEATURES = 16_384  # a covariance of 2 GiB


@dataclasses.dataclass(frozen=True)
class Measurement:
    """A protocol and an extractor, with which sets of images are measured."""

    protocol: object  # name or `Protocol`
    extractor: object  # any argument of `get_extractor`
    grey_to_rgb: bool = False
    progress: bool = False

    def __post_init__(self):
        object.__setattr__(self, "protocol", get_protocol(self.protocol))
        object.__setattr__(self, "extractor", get_extractor(self.extractor))

    def batches(self, images, generated=False):
        """Features of the images that the protocol selects, batch by batch: arrays `(n, d)`.

        Args:
            images: array `(n, height, width, channels)`, or an object with a length that returns
                such an array for an array of indices.
            generated: whether these images are generated or reconstructed.
        """
        index = self.protocol.choose(len(images), generated)
        size = self.extractor.batch_size
        bar = tqdm(
            total=len(index),
            desc=f"{self.extractor.name} features",
            unit="image",
            file=sys.stderr,
            disable=not self.progress,
            dynamic_ncols=True,
            mininterval=0.5 if sys.stderr.isatty() else 30.0,
        )
        with bar:
            for start in range(0, len(index), size):
                rows = index[start : start + size]
                batch = prepare(
                    images[rows], self.protocol, self.extractor, generated, self.grey_to_rgb
                )
                yield self.extractor(batch)
                bar.update(len(rows))

    def statistics(self, images, generated=False, dataset="", keep=None):
        """`Statistics` of a set of images; memory does not grow with their number.

        Args:
            images, generated: as in `batches`.
            dataset: identity of the images.
            keep: list that also receives the features, for a kernel distance.
        """
        moments = Moments()
        for features in self.batches(images, generated):
            if features.shape[1] > MAX_FEATURES:
                raise UserError(
                    f"Expected at most {MAX_FEATURES:,} features per image, got "
                    f"{features.shape[1]:,} from {self.extractor.name}. Shrink the images or "
                    "choose another --extractor."
                )
            moments.update(features)
            if keep is not None:
                keep.append(features)
        return moments.statistics(self.header(generated, dataset))

    def header(self, generated=False, dataset=""):
        """Empty `Statistics` with all settings of this measurement."""
        return Statistics(
            mean=np.zeros(0),
            covariance=np.zeros((0, 0)),
            count=0,
            ddof=self.protocol.ddof,
            protocol=self.protocol.key(),
            extractor=self.extractor.name,
            extractor_digest=self.extractor.digest,
            dataset=dataset,
            generated=generated and self.protocol.stretch_generated,
        )

    def accept(self, statistics, generated=False):
        """Return statistics after checking that this measurement could have produced them."""
        statistics.check_comparable(self.header())
        if statistics.generated != (generated and self.protocol.stretch_generated):
            kind = "generated" if generated else "real"
            raise UserError(
                f"Expected statistics of {kind} images, which the {self.protocol.name} protocol "
                "treats differently: it stretches generated images but not real ones. Compute the "
                "statistics from the images."
            )
        return statistics


def feature_statistics(
    images,
    extractor="inception",
    protocol="standard",
    generated=False,
    dataset="",
    grey_to_rgb=False,
    progress=False,
):
    """Mean and covariance of an image set's features, in one pass over it.

    Args:
        images: `(n, height, width, channels)`, uint8 0..255 or floats in [0, 1]; or an object with
            a length that returns such arrays for arrays of indices.
        extractor: any argument of `get_extractor`.
        protocol: name of a preset, or a `Protocol`.
        generated: prepare the images in the protocol's way for generated ones.
        dataset: identity of the images, kept with the statistics.
        grey_to_rgb: repeat a single channel three times.
        progress: show a progress bar.
    Returns:
        `Statistics(mean (d,), covariance (d, d), count, ...)`, float64.
    """
    measurement = Measurement(protocol, extractor, grey_to_rgb, progress)
    return measurement.statistics(images, generated, dataset)


def fid(real, fake, protocol="standard", extractor="inception", grey_to_rgb=False, progress=False):
    """Frechet distance between real and generated images; lower is better.

    With the extractor "inception" this is the FID, otherwise the distance named after the
    extractor.

    Args:
        real, fake: images as in `feature_statistics`, or `Statistics`.
    Returns:
        float.
    """
    measurement = Measurement(protocol, extractor, grey_to_rgb, progress)
    sides = []
    for images, generated in ((real, False), (fake, True)):
        if isinstance(images, Statistics):
            sides.append(measurement.accept(images, generated))
        else:
            sides.append(measurement.statistics(images, generated))
    return frechet_distance(*sides)


def kid(
    real,
    fake,
    protocol="standard",
    extractor="inception",
    grey_to_rgb=False,
    progress=False,
    max_block_size=1024,
):
    """Kernel distance (Binkowski et al., 2018) and its standard error, by tf-gan's estimator.

    Its estimate is unbiased, unlike that of the Frechet distance, so sets of different sizes are
    comparable.

    Args:
        real, fake: images as in `feature_statistics`; all their features are held in memory.
        max_block_size: images per block; at least two blocks are used, as the error needs them.
    Returns:
        (distance, standard error), floats; the distance may be slightly negative.
    """
    measurement = Measurement(protocol, extractor, grey_to_rgb, progress)
    sides = [
        np.concatenate(list(measurement.batches(images, generated)))
        for images, generated in ((real, False), (fake, True))
    ]
    return kernel_distance(*sides, max_block_size)


def kernel_distance(real, fake, max_block_size=1024):
    """The same from features `(n, d)`."""
    metrics = tfgan_import.classifier_metrics()
    import tensorflow as tf

    if min(len(real), len(fake)) < 4:
        raise UserError(
            "A kernel distance and its error need at least 4 images in each set, got "
            f"{len(real)} and {len(fake)}."
        )
    block = min(max_block_size, (max(len(real), len(fake)) + 1) // 2)
    rng = np.random.default_rng(0)  # the block estimator needs random order
    with tfgan_import.quiet():
        value, error = metrics.kernel_classifier_distance_and_std_from_activations(
            tf.constant(rng.permutation(real), tf.float64),
            tf.constant(rng.permutation(fake), tf.float64),
            max_block_size=block,
        )
    return float(value), float(error)
