"""Several devices through the backend's own engine: tf.distribute, or keras.distribution on JAX.

A global batch is split evenly over the devices. On JAX the compiled step is written for one device
and does not depend on the split. TensorFlow runs the step once per replica, on its part of the
batch; replicas exchange values through the functions below, so that batch statistics, noise and
running values are those of the whole batch. On PyTorch training uses one device.
"""

import contextlib
import functools

import keras

from vaekit.errors import UserError
from vaekit.training.backend import has_gpu


def available():
    """Names of the devices that training can use: accelerators if there are any, otherwise CPUs."""
    backend = keras.backend.backend()
    if backend == "jax":
        return keras.distribution.list_devices()
    if backend != "tensorflow":
        return ["cuda:0" if has_gpu() else "cpu:0"]
    import tensorflow as tf

    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in found]


def check(count, batch_size):
    """Check that a batch can be split evenly over `count` available devices.

    Raises:
        UserError: too few devices, or a batch size that `count` does not divide.
    """
    found = available()
    if count > len(found):
        raise UserError(
            f"devices must be at most {len(found)}, got {count}: the {keras.backend.backend()} "
            f"backend finds {', '.join(found)}. Pass --devices {len(found)}."
        )
    if batch_size % count:
        raise UserError(
            f"A batch of {batch_size} images cannot be split over {count} devices. "
            f"Choose a --batch-size that is a multiple of {count}."
        )


@contextlib.contextmanager
def spread(count):
    """Context manager: models built in it train on the first `count` devices."""
    names, backend = available()[:count], keras.backend.backend()
    if backend == "jax":
        before = keras.distribution.distribution()
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=names))
        try:
            yield
        finally:
            keras.distribution.set_distribution(before)
    elif backend == "tensorflow":
        with _mirrored(tuple(names)).scope():
            yield
    else:
        yield


@functools.cache
def _mirrored(names):
    """One strategy per process and set of devices.

    The collective operations of a second strategy would reuse the first one's keys.
    """
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(names)


def replicas():
    """How many replicas run the current step: 1 unless TensorFlow distributes it."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context is not None else 1


def replica_mean(*values):
    """Mean of each tensor over the replicas, with gradient; unchanged if there is one replica."""
    if replicas() > 1:
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        values = context.all_reduce(tf.distribute.ReduceOp.MEAN, list(values))
    return values[0] if len(values) == 1 else tuple(values)


def replica_part(array):
    """This replica's rows of an array `(rows, ...)` that every replica holds in full."""
    count = replicas()
    if count == 1:
        return array
    import tensorflow as tf

    rows = tf.shape(array)[0] // count
    index = tf.distribute.get_replica_context().replica_id_in_sync_group
    return array[index * rows : (index + 1) * rows]
