"""InceptionV3 of Keras Applications: other weights and layers than the network of FID."""

import functools
from pathlib import Path

import keras

from vaekit import network
from vaekit.errors import UserError
from vaekit.fid.extractors import KerasExtractor

ADDRESS = (
    "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/"
    "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
)
CONTENT = "md5:bcbd6486424b2319ff4ef7d526e38f63"  # as in keras.applications.InceptionV3


@functools.lru_cache(maxsize=2)
def keras_inception(weights="imagenet"):
    """An extractor of 2,048 features per image.

    Args:
        weights: "imagenet", or None for random ones of a fixed seed.
    Raises:
        UserError: the weights are neither in Keras' cache nor available from the network.
    """
    if weights == "imagenet":
        weights = _weights()
        name = "Keras InceptionV3"
    else:
        keras.utils.set_random_seed(0)
        name = "InceptionV3 with random weights (seed 0)"
    model = keras.applications.InceptionV3(
        include_top=False, weights=weights, pooling="avg", input_shape=(299, 299, 3)
    )
    return KerasExtractor(model, name, scaled=True)


def _weights():
    path = Path(keras.config.keras_home()) / "models" / ADDRESS.rsplit("/", 1)[1]
    if not path.exists():
        try:
            network.download(ADDRESS, path, CONTENT)
        except network.Unavailable as error:
            raise UserError(
                f"Weights of Keras' InceptionV3 not found at {path}, and the download failed "
                f"({error}). Place {ADDRESS} there, choose another --fid-extractor, or pass "
                "--no-fid."
            ) from error
    return str(path)
