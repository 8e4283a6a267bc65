"""Encoder and decoder of dense layers, ReLU or gated: two layers of 300 units in the papers."""

import math

import keras
from keras import layers, ops

# Hard bounds of the posterior's log-variance, as in Tomczak & Welling's code.
LOG_VAR_MIN, LOG_VAR_MAX = -6.0, 2.0


@keras.saving.register_keras_serializable("vampprior")
class GatedDense(layers.Layer):
    """h(x) * sigmoid(g(x)) with h and g affine. Tomczak & Welling (2018), section 5.

    One matrix product gives h and g side by side. The He-normal kernel has the fan-in of each.
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

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("vampprior")
class PlainDense(layers.Dense):
    """ReLU layer with a Glorot-normal ("Xavier") kernel, as in the KTH report."""

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


class _Dense(layers.Layer):
    """Hidden layers and one linear output layer; float32 whatever the global policy is."""

    def __init__(self, outputs, output_name, hidden_units=(300, 300), gated=True, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.hidden_units, self.gated = tuple(hidden_units), gated
        kind, initializer = (GatedDense, "he_normal") if gated else (PlainDense, "glorot_normal")
        self.hidden = [
            kind(units, name=f"hidden{i + 1}", dtype=self.dtype_policy)
            for i, units in enumerate(self.hidden_units)
        ]
        self.last = layers.Dense(
            outputs, kernel_initializer=initializer, name=output_name, dtype=self.dtype_policy
        )

    def build(self, input_shape):
        widths = (math.prod(input_shape[1:]), *self.hidden_units)
        for layer, width in zip([*self.hidden, self.last], widths, strict=True):
            layer.build((None, width))

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_units": self.hidden_units,
            "gated": self.gated,
        }


@keras.saving.register_keras_serializable("vampprior")
class DenseEncoder(_Dense):
    """q(z given x): images `(batch, ...)` in [0, 1] -> mean, log_var, each `(batch, latent_dim)`.

    Args:
        latent_dim: number of latents.
        hidden_units: widths of the hidden layers.
        gated: True for gated layers (Tomczak & Welling), False for ReLU layers (KTH report).
    """

    def __init__(self, latent_dim, hidden_units=(300, 300), gated=True, **kwargs):
        super().__init__(2 * latent_dim, "moments", hidden_units, gated, **kwargs)
        self.latent_dim = latent_dim

    def call(self, x):
        return self._rest(self.hidden[0].affine(_flat(x)))

    def encode_both(self, images, pseudo_inputs):
        """Posteriors of a batch and of the pseudo-inputs in one pass.

        Only the first layer treats the two separately, so that its input gradient is computed only
        for the pseudo-inputs, which is all that training needs.

        Args:
            images: `(batch, ...)`.
            pseudo_inputs: `(num_pseudo_inputs, ...)`.
        Returns:
            `(mean, log_var)` of the images and `(mean, log_var)` of the pseudo-inputs.
        """
        first = self.hidden[0]
        both = [first.affine(_flat(images)), first.affine(_flat(pseudo_inputs))]
        mean, log_var = self._rest(ops.concatenate(both, axis=0))
        batch = ops.shape(images)[0]
        return (mean[:batch], log_var[:batch]), (mean[batch:], log_var[batch:])

    def _rest(self, values):
        h = self.hidden[0].activate(values)
        for layer in self.hidden[1:]:
            h = layer(h)
        moments = self.last(h)
        log_var = ops.clip(moments[:, self.latent_dim :], LOG_VAR_MIN, LOG_VAR_MAX)
        return moments[:, : self.latent_dim], log_var

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.latent_dim), (input_shape[0], self.latent_dim)

    def get_config(self):
        return {**super().get_config(), "latent_dim": self.latent_dim}


@keras.saving.register_keras_serializable("vampprior")
class DenseDecoder(_Dense):
    """p(x given z): `(batch, latent_dim)` -> the likelihood's parameters, `(batch, outputs)`.

    The output is flat, since all layers are dense; the likelihood defines its meaning.

    Args:
        outputs: number of pixel values times the likelihood's parameters per pixel.
        hidden_units: widths of the hidden layers.
        gated: as in `DenseEncoder`.
    """

    def __init__(self, outputs, hidden_units=(300, 300), gated=True, **kwargs):
        super().__init__(outputs, "parameters", hidden_units, gated, **kwargs)
        self.outputs = outputs

    def call(self, z):
        for layer in self.hidden:
            z = layer(z)
        return self.last(z)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.outputs)

    def get_config(self):
        return {**super().get_config(), "outputs": self.outputs}


def _flat(x):
    return ops.reshape(x, (-1, math.prod(x.shape[1:])))
