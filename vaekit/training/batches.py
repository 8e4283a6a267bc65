"""Shuffled batches whose order depends only on seed and epoch, so that a run can resume."""

import itertools

import keras
import numpy as np

from vaekit.errors import UserError


def shuffled_batches(arrays, batch_size, seed, first_epoch=0):
    """Endless training batches; each epoch is a new permutation without its incomplete batch.

    The original codes drop the remainder too; it holds other images in every epoch.

    Args:
        arrays: tuple of arrays of equal length n; their dtype is kept (uint8 stays uint8).
        batch_size: images per batch.
        seed: determines, with the number of the epoch, the permutation on every backend.
        first_epoch: the epoch to begin with, for a run that resumes.
    Returns:
        (batches, steps_per_epoch): `batches` is an argument for `fit`; it yields `(x,)`, where x is
        one batch, or a tuple of batches if there are several arrays.
    Raises:
        UserError: fewer images than one batch.
    """
    count = len(arrays[0])
    steps = count // batch_size
    if steps == 0:
        raise UserError(
            f"Expected at least one batch of {batch_size} training images, got {count} images. "
            "Choose a smaller --batch-size or provide more images."
        )

    def order(epoch):
        indices = np.random.default_rng((seed, int(epoch))).permutation(count)
        return indices[: steps * batch_size].reshape(steps, batch_size)

    if keras.backend.backend() == "tensorflow":
        return _tensorflow_batches(arrays, order, first_epoch, (steps, batch_size)), steps
    return _numpy_batches(arrays, order, first_epoch), steps


def _numpy_batches(arrays, order, first_epoch):
    for epoch in itertools.count(first_epoch):
        for index in order(epoch):
            # Order within a batch does not matter, and a mapped file is read faster in order.
            index = np.sort(index)
            x = tuple(array[index] for array in arrays)
            yield (x if len(x) > 1 else x[0],)


def _tensorflow_batches(arrays, order, first_epoch, shape):
    import tensorflow as tf

    tensors = [tf.constant(array) for array in arrays]

    def gather(index):
        index = tf.sort(index)
        x = tuple(tf.gather(tensor, index) for tensor in tensors)
        return (x if len(x) > 1 else x[0],)

    def indices(epoch):
        return tf.ensure_shape(tf.numpy_function(order, [epoch], tf.int64), shape)

    # Not from_generator: in TensorFlow 2.21 it makes the allocator return every large tensor to the
    # system at once, which doubled the processor time of a convolutional step.
    epochs = tf.data.Dataset.counter(first_epoch).map(indices)
    return epochs.unbatch().map(gather).prefetch(2)
