"""Feature extractors: functions from images to features, and the names of their distances.

Only the Inception module of 2015 gives a number called FID. The number of every other extractor is
called by the name of that extractor.
"""

import hashlib

import keras
import numpy as np

from vaekit.errors import UserError


class Extractor:
    """A callable from float32 images to features `(n, d)`, and the name of its distances.

    Args:
        function: takes a float32 batch `(n, height, width, channels)`.
        name: appears in "Frechet distance, <name>".
        digest: identifies the function (a hash of its weights); statistics with different digests
            are not compared.
        image_size: pixels per side after the protocol's resize; None: images keep their size.
        channels: number of channels that it expects; None: any.
        scaled: whether it expects pixels scaled by the protocol (about [-1, 1]), or in [0, 1].
        batch_size: images per call.
    """

    def __init__(
        self, function, name, digest, image_size=None, channels=None, scaled=False, batch_size=256
    ):
        self.function, self.name, self.digest = function, name, digest
        self.image_size, self.channels, self.scaled = image_size, channels, scaled
        self.batch_size = batch_size

    @property
    def label(self):
        """The name of its Frechet distance."""
        return f"Frechet distance, {self.name}"

    @property
    def kernel_label(self):
        """The name of its kernel distance."""
        return f"Kernel distance, {self.name}"

    def __call__(self, images):
        features = keras.ops.convert_to_numpy(self.function(images))
        if len(features) != len(images):
            raise UserError(
                f"Expected one row of features per image from the extractor {self.name!r}, got "
                f"shape {features.shape} for {len(images)} images."
            )
        return features.reshape(len(images), -1)


class KerasExtractor(Extractor):
    """Any Keras model with one image input and one output, flattened."""

    def __init__(self, model, name=None, image_size=None, scaled=False, batch_size=64):
        if image_size is None and model.input_shape[1] == model.input_shape[2]:
            image_size = model.input_shape[1]
        super().__init__(
            self._predict,
            name or model.name,
            weights_digest(model),
            image_size=image_size,
            channels=model.input_shape[-1],
            scaled=scaled,
            batch_size=batch_size,
        )
        self._model, self._rows = model, 0

    def _predict(self, images):
        count = len(images)
        self._rows = max(self._rows, count)
        # An incomplete batch is filled up, so that the model is compiled for one shape only.
        fill = np.zeros((self._rows - count, *images.shape[1:]), images.dtype)
        return self._model.predict_on_batch(np.concatenate([images, fill]))[:count]


def weights_digest(model):
    """Hex sha256 of a Keras model's structure and weights."""
    digest = hashlib.sha256(model.to_json().encode())
    for variable in model.variables:
        digest.update(variable.numpy().tobytes())
    return digest.hexdigest()


def pixels():
    """An extractor whose features are the pixels themselves, in [0, 1]."""
    return Extractor(lambda images: images, "pixels", "pixels")
