"""Several devices through the backend's own engine: tf.distribute, or keras.distribution on JAX.

A global batch is split evenly over the devices. On JAX the compiled step is that of one device,
whatever the split. TensorFlow runs the step once per replica, on its part of the batch; what a
replica must know of the others goes through the functions below, so that batch statistics, noise
and running values are those of the whole batch.
"""

import contextlib
import functools

import keras

from vaekit.errors import UserError


def available():
    """Names of the devices that training can use: accelerators where there are any, else CPUs."""
    if keras.backend.backend() == "jax":
        return keras.distribution.list_devices()
    import tensorflow as tf

    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in found]


def check(count, batch_size):
    """Refuse more devices than there are, and batches that cannot be split evenly."""
    found = available()
    if count > len(found):
        raise UserError(
            f"{count} devices were asked for; the {keras.backend.backend()} backend sees "
            f"{len(found)}: {', '.join(found)}. Use --devices of at most {len(found)}."
        )
    if batch_size % count:
        raise UserError(
            f"A batch of {batch_size} images cannot be split over {count} devices. "
            "Choose a --batch-size that their number divides."
        )


@contextlib.contextmanager
def spread(count):
    """Within it, models are built for, and trained on, the first `count` devices."""
    names = available()[:count]
    if keras.backend.backend() == "jax":
        before = keras.distribution.distribution()
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=names))
        try:
            yield
        finally:
            keras.distribution.set_distribution(before)
        return
    with _mirrored(tuple(names)).scope():
        yield


@functools.cache
def _mirrored(names):
    """One strategy per process and devices: the collective operations of a second one would get
    the numbers of the first one's."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(names)


def replicas():
    """How many replicas run the step at hand: 1 except where TensorFlow spreads it."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context is not None else 1


def replica_mean(*values):
    """Each tensor's mean over the replicas, with gradient; the tensors themselves with one."""
    if replicas() > 1:
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        values = context.all_reduce(tf.distribute.ReduceOp.MEAN, list(values))
    return values[0] if len(values) == 1 else tuple(values)


def replica_part(array):
    """This replica's rows of what all of them hold, `(rows, ...)`; all rows with one replica."""
    count = replicas()
    if count == 1:
        return array
    import tensorflow as tf

    rows = tf.shape(array)[0] // count
    index = tf.distribute.get_replica_context().replica_id_in_sync_group
    return array[index * rows : (index + 1) * rows]
