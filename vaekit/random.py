"""Random numbers for the inside of a compiled training step, the same on every backend.

TensorFlow's own generator (Philox) is slow under XLA on a CPU: 21 ms for a batch of 100 x 784
uniform numbers, where the whole step takes 20 ms; Threefry takes 0.5 ms.
"""

import math

import keras
import numpy as np
from keras import ops

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def threefry(key, counters):
    """Threefry-2x32 with 20 rounds. Salmon et al. (2011), "Parallel random numbers: as easy as 1,
    2, 3".

    Args:
        key: two uint32 scalars.
        counters: two uint32 tensors `(n,)`.
    Returns:
        Two uint32 tensors `(n,)` of random bits.
    """
    parity = np.uint32(0x1BD11BDA)
    keys = (*key, ops.bitwise_xor(ops.bitwise_xor(key[0], key[1]), parity))
    a, b = counters[0] + keys[0], counters[1] + keys[1]
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            a = a + b
            b = ops.bitwise_xor(_rotate(b, rotation), a)
        a = a + keys[(group + 1) % 3]
        b = b + keys[(group + 2) % 3] + np.uint32(group + 1)
    return a, b


def uniform(generator, shape):
    """Uniform on [0, 1): float32, multiples of 2^-24.

    Args:
        generator: a `keras.random.SeedGenerator`.
        shape: as `ops.shape` gives it; sizes may be unknown until the step runs.
    """
    if keras.backend.backend() == "torch":  # it has no arithmetic on uint32
        return keras.random.uniform(shape, dtype="float32", seed=generator)
    size = _size(shape)
    return ops.reshape(ops.concatenate(_uniform_pairs(generator, size))[:size], shape)


def normal(generator, shape):
    """Standard normal, float32, by Box-Muller; arguments as of `uniform`."""
    if keras.backend.backend() == "torch":
        return keras.random.normal(shape, dtype="float32", seed=generator)
    size = _size(shape)
    first, second = _uniform_pairs(generator, size)
    radius = ops.sqrt(-2.0 * ops.log(1.0 - first))  # 1 - first is never 0
    angle = 2.0 * math.pi * second
    pairs = ops.concatenate([radius * ops.cos(angle), radius * ops.sin(angle)])
    return ops.reshape(pairs[:size], shape)


def _size(shape):
    """Product of a shape: an int, or a scalar tensor where a size is unknown while tracing."""
    size = 1
    for length in shape:
        size = size * length
    return size


def _uniform_pairs(generator, size):
    """Two float32 tensors of half the size each, rounded up."""
    key = ops.cast(generator.next(), "uint32")
    counter = ops.cast(ops.arange((size + 1) // 2, dtype="int32"), "uint32")
    bits = threefry((key[0], key[1]), (counter, np.uint32(0)))
    # The upper 24 bits fill float32's digits; as int32 they convert quickly.
    upper = (ops.cast(ops.bitwise_right_shift(b, np.uint32(8)), "int32") for b in bits)
    return [ops.cast(u, "float32") * np.float32(2**-24) for u in upper]


def _rotate(x, by):
    left = ops.bitwise_left_shift(x, np.uint32(by))
    return ops.bitwise_or(left, ops.bitwise_right_shift(x, np.uint32(32 - by)))
