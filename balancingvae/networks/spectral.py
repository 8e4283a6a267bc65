"""Layers whose kernel is divided by its largest singular value.

Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018: one power
iteration per training step, starting from the stored left vector u. Inference also iterates from
the stored u but does not change it. (Dai & Wipf's code overwrites it in inference as well.)
"""

import math

import keras
from keras import layers, ops

EPSILON = 1e-12  # inside the normalisation of u and v


def power_iteration(matrix, u):
    """One power iteration on `matrix` `(rows, columns)` from u `(rows,)`.

    Returns:
        `(sigma, u)`: the estimate u^T W v of the largest singular value, through which gradients
        flow into W only, and the next u.
    """
    fixed = ops.stop_gradient(matrix)
    v = _unit(ops.matmul(u, fixed))
    u = _unit(ops.matmul(fixed, v))
    return ops.sum(ops.matmul(u, matrix) * v), u


def _unit(vector):
    return vector * ops.rsqrt(ops.sum(ops.square(vector)) + EPSILON)


class _Spectral:
    """Base of the three layers: the vector u, and the divided kernel."""

    def build(self, input_shape):
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(math.prod(self.kernel.shape) // self._columns(),),
            initializer=keras.initializers.RandomNormal(stddev=1.0, seed=0),
            trainable=False,
            dtype="float32",
            autocast=False,
            aggregation="mean",
        )

    def divided_kernel(self, training):
        """The kernel divided by its largest singular value; a training step updates u."""
        matrix = ops.cast(self._as_matrix(self.kernel), "float32")
        sigma, u = power_iteration(matrix, ops.stop_gradient(self.u))
        if training:
            self.u.assign(ops.stop_gradient(u))
        return self.kernel / ops.cast(sigma, self.kernel.dtype)

    def save_own_variables(self, store):
        """Save all weights; Keras' own layers would save only kernel and bias."""
        layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store):
        layers.Layer.load_own_variables(self, store)

    def _as_matrix(self, kernel):
        return ops.reshape(kernel, (-1, self._columns()))

    def _columns(self):
        return self.kernel.shape[-1]

    def _finish(self, y):
        if self.use_bias:
            y = y + ops.cast(self.bias, y.dtype)
        return self.activation(y)


@keras.saving.register_keras_serializable("balancingvae")
class SpectralDense(_Spectral, layers.Dense):
    """Dense layer with a spectrally normalised kernel."""

    def call(self, inputs, training=False):
        return self._finish(ops.matmul(inputs, self.divided_kernel(training)))


@keras.saving.register_keras_serializable("balancingvae")
class SpectralConv2D(_Spectral, layers.Conv2D):
    """Convolution with a spectrally normalised kernel, seen as `(height * width * in, out)`."""

    def call(self, inputs, training=False):
        return self._finish(
            ops.conv(inputs, self.divided_kernel(training), self.strides, self.padding)
        )


@keras.saving.register_keras_serializable("balancingvae")
class SpectralConv2DTranspose(_Spectral, layers.Conv2DTranspose):
    """Transposed convolution with a spectrally normalised kernel, as `(in, height * width * out)`.

    The stored kernel is `(height, width, out, in)`; its singular values are those of that matrix.
    """

    def call(self, inputs, training=False):
        return self._finish(
            ops.conv_transpose(inputs, self.divided_kernel(training), self.strides, self.padding)
        )


SPECTRAL = {
    layers.Dense: SpectralDense,
    layers.Conv2D: SpectralConv2D,
    layers.Conv2DTranspose: SpectralConv2DTranspose,
}


def with_spectral_norm(network):
    """A newly initialised copy of a functional model with every kernel spectrally normalised.

    Args:
        network: `keras.Model` of dense layers, convolutions and layers without kernels.
    """

    def copy(layer):
        kind = SPECTRAL.get(type(layer), type(layer))
        return kind.from_config(layer.get_config())

    return keras.models.clone_model(network, clone_function=copy)
