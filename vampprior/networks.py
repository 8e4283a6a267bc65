"""Encoder and decoder: two dense layers of 300 units, plain or gated."""

import keras
from keras import layers, ops

# Bounds of the posterior's log-variance: Tomczak & Welling's code, a hard clip.
LOG_VAR_MIN, LOG_VAR_MAX = -6.0, 2.0


@keras.saving.register_keras_serializable("vampprior")
class GatedDense(layers.Layer):
    """h(x) * sigmoid(g(x)) with h and g affine. Tomczak & Welling (2018), section 5.

    One matrix product yields h and g side by side; He-normal kernels see the fan-in of each alone.
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], 2 * self.units), initializer="he_normal"
        )
        self.bias = self.add_weight(name="bias", shape=(2 * self.units,), initializer="zeros")

    def affine(self, x):
        """`(batch, inputs)` -> h(x) and g(x) side by side, `(batch, 2 * units)`."""
        return ops.matmul(x, self.kernel) + self.bias

    def activate(self, values):
        """`(batch, 2 * units)` from `affine` -> `(batch, units)`."""
        return values[:, : self.units] * ops.sigmoid(values[:, self.units :])

    def call(self, x):
        return self.activate(self.affine(x))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("vampprior")
class PlainDense(layers.Dense):
    """ReLU layer with Glorot-normal ("Xavier") kernel, as in the KTH report."""

    def __init__(self, units, **kwargs):
        kwargs.setdefault("kernel_initializer", "glorot_normal")
        super().__init__(units, **kwargs)

    def affine(self, x):
        """`(batch, inputs)` -> pre-activations `(batch, units)`."""
        return super().call(x)

    def activate(self, values):
        """Pre-activations -> ReLU of them, `(batch, units)`."""
        return ops.relu(values)

    def call(self, x):
        return self.activate(self.affine(x))


HIDDEN = {"plain": PlainDense, "gated": GatedDense}
OUTPUT_INITIALIZER = {"plain": "glorot_normal", "gated": "he_normal"}


@keras.saving.register_keras_serializable("vampprior")
class Encoder(layers.Layer):
    """q(z given x): `(batch, pixels)` in [0, 1] -> mean, log_var, each `(batch, latent_dim)`."""

    def __init__(self, network, hidden_units, latent_dim, **kwargs):
        super().__init__(**kwargs)
        self.network, self.hidden_units, self.latent_dim = network, hidden_units, latent_dim
        self.hidden = [
            HIDDEN[network](units, name=f"hidden{i + 1}") for i, units in enumerate(hidden_units)
        ]
        self.moments = layers.Dense(
            2 * latent_dim, kernel_initializer=OUTPUT_INITIALIZER[network], name="moments"
        )

    def build(self, input_shape):
        _build_chain([*self.hidden, self.moments], input_shape[-1], self.hidden_units)

    def call(self, x):
        return self._rest(self.hidden[0].affine(x))

    def encode_both(self, images, pseudo_inputs):
        """Posteriors of a batch and of the pseudo-inputs in one pass.

        Only the first layer sees the two apart: its input gradient is then computed for the
        pseudo-inputs alone, which is all that training needs.

        Args:
            images: `(batch, pixels)`.
            pseudo_inputs: `(num_pseudo_inputs, pixels)`.
        Returns:
            `(mean, log_var)` of the images and `(mean, log_var)` of the pseudo-inputs.
        """
        first = self.hidden[0]
        values = ops.concatenate([first.affine(images), first.affine(pseudo_inputs)], axis=0)
        mean, log_var = self._rest(values)
        batch = ops.shape(images)[0]
        return (mean[:batch], log_var[:batch]), (mean[batch:], log_var[batch:])

    def _rest(self, values):
        h = self.hidden[0].activate(values)
        for layer in self.hidden[1:]:
            h = layer(h)
        moments = self.moments(h)
        log_var = ops.clip(moments[:, self.latent_dim :], LOG_VAR_MIN, LOG_VAR_MAX)
        return moments[:, : self.latent_dim], log_var

    def get_config(self):
        return {
            **super().get_config(),
            "network": self.network,
            "hidden_units": self.hidden_units,
            "latent_dim": self.latent_dim,
        }


@keras.saving.register_keras_serializable("vampprior")
class Decoder(layers.Layer):
    """p(x given z): `(batch, latent_dim)` -> the likelihood's parameters, `(batch, outputs)`.

    Flat, since everything here is dense; the likelihood says what the outputs mean.
    """

    def __init__(self, network, hidden_units, outputs, **kwargs):
        super().__init__(**kwargs)
        self.network, self.hidden_units, self.outputs = network, hidden_units, outputs
        self.hidden = [
            HIDDEN[network](units, name=f"hidden{i + 1}") for i, units in enumerate(hidden_units)
        ]
        self.parameters = layers.Dense(
            outputs, kernel_initializer=OUTPUT_INITIALIZER[network], name="parameters"
        )

    def build(self, input_shape):
        _build_chain([*self.hidden, self.parameters], input_shape[-1], self.hidden_units)

    def call(self, z):
        for layer in self.hidden:
            z = layer(z)
        return self.parameters(z)

    def get_config(self):
        return {
            **super().get_config(),
            "network": self.network,
            "hidden_units": self.hidden_units,
            "outputs": self.outputs,
        }


def _build_chain(chain, inputs, hidden_units):
    for layer, width in zip(chain, (inputs, *hidden_units), strict=True):
        layer.build((None, width))
