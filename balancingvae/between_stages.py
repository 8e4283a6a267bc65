"""What happens between the two stages: posteriors of all images, and a joint history."""

import itertools

import keras
import numpy as np


def posterior_of(stage, x, steps=None, batch_size=None):
    """First-stage posteriors of x, for the second stage.

    Args:
        stage: a `BalancedVAE`.
        x: an array of images, a tuple `(images, ...)` like Keras' validation data, or a stream.
        steps: number of batches to read from a stream; None for all.
        batch_size: the batch size given for x.
    Returns:
        `(mean, log_var)`, each `(n, latent_dim)`, and the batch size that was given or found in x.
    """
    if isinstance(x, (tuple, list)):
        x = x[0]
    if not is_stream(x):
        return stage.encode(x), batch_size
    parts = [stage.encode(images) for images in image_batches(x, steps)]
    mean, log_var = (np.concatenate(column) for column in zip(*parts, strict=True))
    return (mean, log_var), batch_size or len(parts[0][0])


def joined_history(model, found):
    """One `keras.callbacks.History` of both stages.

    Args:
        model: the two-stage model.
        found: dict of stage name -> its History.
    """
    joined = keras.callbacks.History()
    joined.set_model(model)
    joined.history = {
        f"{stage}_{key}": values
        for stage, history in found.items()
        for key, values in history.history.items()
    }
    joined.epoch = list(range(sum(len(history.epoch) for history in found.values())))
    joined.params = {stage: history.params for stage, history in found.items()}
    return joined


def is_stream(x):
    """Whether x yields batches instead of being one array of all images."""
    return isinstance(x, keras.utils.PyDataset) or not hasattr(x, "shape")


def image_batches(x, steps=None):
    """The images of each batch of a stream, as numpy arrays.

    Args:
        x: `tf.data.Dataset`, `keras.utils.PyDataset`, torch `DataLoader` or another iterable.
        steps: number of batches to read; None for all.
    """
    batches = (x[i] for i in range(len(x))) if isinstance(x, keras.utils.PyDataset) else iter(x)
    for batch in itertools.islice(batches, steps):
        images = batch[0] if isinstance(batch, (tuple, list)) else batch
        yield keras.ops.convert_to_numpy(images)
