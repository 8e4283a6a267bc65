"""Batch norm as two compiled pure functions with few passes over memory.

Batch norm does little arithmetic on large arrays, so most of its time goes into reading and writing
them. As a sequence of a framework's operations it needs some twenty passes over the arrays, with as
many rounding errors; compiled, it needs only the few of the formulas. The formulas of the gradient
are written out because a ResNet step takes more processor time without them:
`benchmarks/balancing_step.py` compares it with batch norm of plain operations.
"""

import keras
from keras import ops

# Distance of the rows whose mean is the shift below; it is prime, so they cover all image columns.
_SHIFT_STRIDE = 17


def moments(rows):
    """Mean and population variance of the columns of `rows` `(n, channels)`, float32.

    One pass: E[d] and E[d^2] of d = rows - shift, where the shift is the mean of a part of the
    rows. Hence E[d^2] - E[d]^2 does not cancel, however far from zero the rows are.
    """
    shift = ops.mean(rows[::_SHIFT_STRIDE], axis=0)
    centred = rows - shift
    mean = ops.mean(centred, axis=0)
    variance = ops.mean(ops.square(centred), axis=0) - ops.square(mean)
    return shift + mean, ops.maximum(variance, 0.0)


def normalize(x, gamma, beta, epsilon):
    """Normalise with the batch's own moments, scale and shift.

    Args:
        x: `(..., channels)`; the moments are over all axes but the last.
        gamma, beta: `(channels,)`, float32.
        epsilon: added to the variance.
    Returns:
        y in the dtype of x, and the moments (mean, variance), float32 `(channels,)`, which carry
        no gradient. Arithmetic is float32. Ioffe & Szegedy (2015), algorithm 1.
    """
    forward, backward = _compiled()

    @ops.custom_gradient
    def normalized(x, gamma, beta):
        y, mean, variance = forward(x, gamma, beta, epsilon)

        def gradient(*upstream, **_):
            # TensorFlow passes the upstream gradients one by one, JAX in one tuple.
            dy = upstream[0][0] if isinstance(upstream[0], (tuple, list)) else upstream[0]
            return backward(x, dy, gamma, mean, variance, epsilon)

        return (y, mean, variance), gradient

    return normalized(x, gamma, beta)


def _forward(x, gamma, beta, epsilon):
    rows = ops.cast(ops.reshape(x, (-1, x.shape[-1])), "float32")
    mean, variance = moments(rows)
    y = (rows - mean) * (gamma * ops.rsqrt(variance + epsilon)) + beta
    return ops.cast(ops.reshape(y, ops.shape(x)), x.dtype), mean, variance


def _backward(x, dy, gamma, mean, variance, epsilon):
    """Gradients with respect to x, gamma, beta: dx = s (dy - E[dy] - x_norm E[dy x_norm])."""
    channels = x.shape[-1]
    dy = ops.cast(ops.reshape(dy, (-1, channels)), "float32")
    rows = ops.cast(ops.reshape(x, (-1, channels)), "float32")
    inverse = ops.rsqrt(variance + epsilon)
    normed = (rows - mean) * inverse
    d_gamma, d_beta = ops.sum(dy * normed, axis=0), ops.sum(dy, axis=0)
    count = ops.cast(ops.shape(rows)[0], "float32")
    dx = (gamma * inverse) * (dy - d_beta / count - normed * (d_gamma / count))
    return ops.cast(ops.reshape(dx, ops.shape(x)), x.dtype), d_gamma, d_beta


_FUNCTIONS = {}


def _compiled():
    """The two functions, compiled by XLA, whether or not the rest of the step is."""
    backend = keras.backend.backend()
    if backend not in _FUNCTIONS:
        _FUNCTIONS[backend] = tuple(_compile(f, backend) for f in (_forward, _backward))
    return _FUNCTIONS[backend]


def _compile(function, backend):
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True, autograph=False)
    return function  # JAX compiles the whole step
