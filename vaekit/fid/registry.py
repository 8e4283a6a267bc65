"""Feature extractors by name."""

import functools
from pathlib import Path

import keras

from vaekit.errors import UserError, check_choice
from vaekit.fid.extractors import Extractor, KerasExtractor, pixels
from vaekit.fid.inception import open_inception
from vaekit.fid.keras_inception import keras_inception

INCEPTION = "inception"  # the network of FID
EXTRACTORS = {
    INCEPTION: open_inception,
    "inceptionv3": keras_inception,
    "inceptionv3_random": functools.partial(keras_inception, None),
    "pixels": pixels,
}


def register_extractor(name, factory):
    """Register `factory()`, which returns an `Extractor`, under `name`."""
    EXTRACTORS[name] = factory


def get_extractor(extractor, inception=None):
    """An `Extractor` from a name, a model, a file or a function.

    Args:
        extractor: an `Extractor`, a registered name, a Keras model, the path of a `.keras` file, or
            a callable that takes float32 images in [0, 1] in their own size.
        inception: path of the Inception weights, used by the extractor "inception" only.
    Raises:
        UserError: unknown name, or missing weights.
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
    check_choice("extractor", extractor, EXTRACTORS)
    factory = EXTRACTORS[extractor]
    return factory(inception) if extractor == INCEPTION else factory()


def _open_keras_file(path):
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{path} cannot be opened as a Keras model ({error}). Save one with "
            "model.save('NAME.keras')."
        ) from error
    return KerasExtractor(model, name=path.stem)
