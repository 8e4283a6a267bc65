"""Networks (or none) that turn images into features, by name.

Only the Inception module of 2015 gives a number called FID. Every other extractor's number is
called by that extractor's name.
"""

import functools
import hashlib
from pathlib import Path

import keras
import numpy as np

from vaekit import network
from vaekit.errors import UserError

KERAS_INCEPTION = (
    "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/"
    "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
)


class Extractor:
    """A callable from float32 images to features `(n, d)`, and what to call its distances.

    Args:
        function: takes a float32 batch `(n, height, width, channels)`.
        name: stands in "Frechet distance, <name>".
        digest: identity of the function (a hash of its weights); statistics of different digests
            are not compared.
        image_size: pixels per side after the protocol's resize; None: images at their own size.
        channels: number taken; None: any.
        scaled: whether pixels come scaled as the protocol says (about [-1, 1]) or in [0, 1].
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
        """What its Frechet distance is called."""
        return f"Frechet distance, {self.name}"

    def __call__(self, images):
        features = np.asarray(self.function(images))
        if len(features) != len(images):
            raise UserError(
                f"The extractor {self.name!r} gave features of shape {features.shape} for "
                f"{len(images)} images; taken is one row per image."
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
        # A leftover batch is filled up, so that the model is compiled for one shape only.
        fill = np.zeros((self._rows - count, *images.shape[1:]), images.dtype)
        return self._model.predict_on_batch(np.concatenate([images, fill]))[:count]


def weights_digest(model):
    """Hex sha256 of a Keras model's structure and weights."""
    digest = hashlib.sha256(model.to_json().encode())
    for variable in model.variables:
        digest.update(np.asarray(variable.value).tobytes())
    return digest.hexdigest()


def pixels():
    """The pixels themselves, in [0, 1], as features."""
    return Extractor(lambda images: images, "pixels", "pixels")


@functools.lru_cache(maxsize=2)
def keras_inception(weights="imagenet"):
    """Keras Applications' InceptionV3: other weights and layers than the FID's network.

    Args:
        weights: "imagenet", or None for random ones of a fixed seed.
    """
    if weights == "imagenet":
        weights = _keras_weights()
        name = "Keras InceptionV3"
    else:
        keras.utils.set_random_seed(0)
        name = "InceptionV3 with random weights (seed 0)"
    model = keras.applications.InceptionV3(
        include_top=False, weights=weights, pooling="avg", input_shape=(299, 299, 3)
    )
    return KerasExtractor(model, name, scaled=True)


def _keras_weights():
    name = KERAS_INCEPTION.rsplit("/", 1)[1]
    path = Path(keras.config.keras_home()) / "models" / name
    if path.exists():
        return str(path)
    if not network.is_reachable(KERAS_INCEPTION):
        raise UserError(
            f"The weights of Keras' InceptionV3 are not at {path}, and there is no network to "
            f"fetch {KERAS_INCEPTION}. Place that file there, choose another --fid-extractor, or "
            "pass --no-fid."
        )
    with network.timeout():
        return keras.utils.get_file(name, KERAS_INCEPTION, cache_subdir="models")


def inception(path=None):
    """The network of FID; see `InceptionExtractor`."""
    from vaekit.fid.inception import open_inception

    return open_inception(path)


EXTRACTORS = {
    "inception": inception,
    "inceptionv3": keras_inception,
    "inceptionv3_random": functools.partial(keras_inception, None),
    "pixels": pixels,
}


def register_extractor(name, factory):
    """Make `factory()`, which returns an `Extractor`, known by `name`."""
    EXTRACTORS[name] = factory


def get_extractor(extractor, inception=None):
    """An `Extractor` from whatever names or holds one.

    Args:
        extractor: an `Extractor`, a registered name, a Keras model, the path of a `.keras` file, or
            a callable that takes float32 images in [0, 1] at their own size.
        inception: path of the Inception weights, for the extractor "inception" alone.
    Raises:
        UserError: unknown name, or weights that are not there.
    """
    if isinstance(extractor, Extractor):
        return extractor
    if isinstance(extractor, keras.Model):
        return KerasExtractor(extractor)
    if callable(extractor):
        name = getattr(extractor, "__name__", type(extractor).__name__)
        return Extractor(extractor, name, f"callable {name}")
    if str(extractor).endswith(".keras"):
        return _open_keras_file(Path(extractor))
    if extractor not in EXTRACTORS:
        raise UserError(
            f"Unknown extractor {extractor!r}. Known are: {', '.join(EXTRACTORS)}, and paths of "
            ".keras files."
        )
    return (
        EXTRACTORS["inception"](inception) if extractor == "inception" else EXTRACTORS[extractor]()
    )


def _open_keras_file(path):
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path} cannot be opened as a Keras model: {error}") from error
    return KerasExtractor(model, name=path.stem)
