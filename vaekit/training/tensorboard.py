"""Curves for TensorBoard, an option: the same values always stand in metrics.jsonl."""

import keras

from vaekit.errors import UserError


def tensorboard_curves(folder):
    """A Keras callback that writes every epoch's values into `folder`.

    Raises:
        UserError: the tensorboard package, or TensorFlow which writes its files, is missing.
    """
    try:
        import tensorboard  # noqa: F401
        import tensorflow  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"--tensorboard needs the package {error.name}: pip install {error.name}. Or leave the "
            "option out; metrics.jsonl holds the same values."
        ) from error
    return keras.callbacks.TensorBoard(str(folder), write_graph=False)
