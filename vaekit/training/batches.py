"""Shuffled batches whose order depends on seed and epoch alone, so that a run can resume."""

import itertools

import keras
import numpy as np

from vaekit.errors import UserError


def shuffled_batches(arrays, batch_size, seed, first_epoch=0):
    """Endless training batches; each epoch is a fresh permutation, its incomplete batch dropped.

    The original codes drop the remainder too; which images it holds changes from epoch to epoch.

    Args:
        arrays: tuple of arrays of equal length n; they are kept as they are (uint8 stays uint8).
        batch_size: images per batch.
        seed: with the epoch's number it determines the permutation, on every backend alike.
        first_epoch: the epoch to begin with, when a run resumes.
    Returns:
        (batches, steps_per_epoch): `batches` goes to `fit`; it yields `(x,)` with x one batch, or
        a tuple of batches when several arrays came.
    Raises:
        UserError: fewer images than one batch.
    """
    count = len(arrays[0])
    steps = count // batch_size
    if steps == 0:
        raise UserError(
            f"{count} training images are fewer than one batch of {batch_size}. "
            "Choose a smaller --batch-size or give more images."
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
            index = np.sort(index)  # a batch has no order; sorted reads are kinder to a mapped file
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

    # Not from_generator: TensorFlow 2.21's makes the allocator return every large tensor to the
    # system at once, which doubled the processor time of a convolutional step.
    epochs = tf.data.Dataset.counter(first_epoch).map(indices)
    return epochs.unbatch().map(gather).prefetch(2)
