"""Optional curves for TensorBoard; metrics.jsonl always holds the same values."""

import keras

from vaekit.errors import UserError


def tensorboard_curves(folder):
    """A Keras callback that writes the values of every epoch into `folder`.

    Raises:
        UserError: the package tensorboard, or TensorFlow, which writes its files, is missing.
    """
    try:
        import tensorboard  # noqa: F401
        import tensorflow  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"--tensorboard needs the package {error.name}: pip install {error.name}. Without the "
            "option, metrics.jsonl still holds the same values."
        ) from error
    return keras.callbacks.TensorBoard(str(folder), write_graph=False)
