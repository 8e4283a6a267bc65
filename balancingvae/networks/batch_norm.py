"""Batch norm as in TensorFlow 1: zero-debiased statistics, epsilon 1e-5, decay 0.999."""

import keras
from keras import ops

from balancingvae.networks import norm
from vaekit.training import devices

BATCH_NORM_EPSILON = 1e-5
BATCH_NORM_DECAY = 0.999


@keras.saving.register_keras_serializable("balancingvae")
class BatchNorm(keras.layers.Layer):
    """Batch norm over all axes but the last, with TensorFlow 1's zero-debiased moving statistics.

    Training normalises with the mean and population variance of the batch. For each of the two, it
    updates shadow <- shadow - (1 - decay) (shadow - value), statistic <- shadow / (1 -
    decay^updates). Hence the first update sets the statistics to those of the first batch, and the
    initial 0 and 1 never contribute. Statistics and arithmetic are always float32.

    Args:
        decay: decay of the moving statistics.
        epsilon: added to the variance.
    """

    def __init__(self, decay=BATCH_NORM_DECAY, epsilon=BATCH_NORM_EPSILON, **keywords):
        super().__init__(**keywords)
        self.decay, self.epsilon = decay, epsilon

    def get_config(self):
        return super().get_config() | {"decay": self.decay, "epsilon": self.epsilon}

    def build(self, input_shape):
        shape = (input_shape[-1],)

        def weight(name, initializer, shape=shape, trainable=False):
            return self.add_weight(
                name=name,
                shape=shape,
                initializer=initializer,
                trainable=trainable,
                dtype="float32",
                autocast=False,
                aggregation="mean",
            )

        self.gamma = weight("gamma", "ones", trainable=True)
        self.beta = weight("beta", "zeros", trainable=True)
        self.mean = weight("mean", "zeros")
        self.variance = weight("variance", "ones")
        self.mean_shadow = weight("mean_shadow", "zeros")
        self.variance_shadow = weight("variance_shadow", "zeros")
        self.updates = weight("updates", "zeros", shape=())

    def call(self, x, training=False):
        # On PyTorch, Keras does not support custom gradients of several inputs.
        plain = devices.replicas() > 1 or keras.backend.backend() == "torch"
        if training and plain:
            mean, variance = _moments(ops.cast(x, "float32"))
            self._update_statistics(mean, variance)
        elif training:
            # A sum is a tensor; TensorFlow's custom gradients do not accept variables.
            gamma, beta = self.gamma + 0.0, self.beta + 0.0
            y, mean, variance = norm.normalize(x, gamma, beta, self.epsilon)
            self._update_statistics(mean, variance)
            return y
        else:
            mean, variance = self.mean, self.variance
        scale = self.gamma * ops.rsqrt(variance + self.epsilon)
        shift = self.beta - mean * scale
        return ops.cast(ops.cast(x, "float32") * scale + shift, self.compute_dtype)

    def _update_statistics(self, mean, variance):
        rate = 1.0 - self.decay
        updates = self.updates + 1.0
        # float32 arithmetic, as in TensorFlow 1: good to 1e-4 while there are few updates.
        weight = 1.0 - ops.power(ops.cast(self.decay, "float32"), updates)
        for statistic, shadow, value in (
            (self.mean, self.mean_shadow, mean),
            (self.variance, self.variance_shadow, variance),
        ):
            new = shadow - rate * (shadow - value)
            shadow.assign(new)
            statistic.assign(new / weight)
        self.updates.assign(updates)


def _moments(x):
    """Mean and population variance `(channels,)` of the batch, over all replicas."""
    axes = list(range(len(x.shape) - 1))
    mean = devices.replica_mean(ops.mean(x, axis=axes))
    return mean, devices.replica_mean(ops.mean(ops.square(x - mean), axis=axes))
