"""Rules for gamma, the standard deviation of the decoder's Gaussian noise, unit of x.

Pure functions first, then one Keras layer per rule, which holds the rule's state as weights. A
model calls the layer with the batch's mean squared error to get the gamma of this batch's loss, and
`update` after the loss, in training only. A rule of your own is a subclass of `GammaRule`.

Asperti & Trentin (2020), arXiv 2002.07514; Dai & Wipf (ICLR 2019); Rybkin et al., "Simple and
Effective VAE Training with Calibrated Decoders", ICML 2021.
"""

import math

import keras
from keras import ops

from vaekit.errors import UserError, check_choice, check_positive_number

# Weight of the newest batch in the running error.
ERROR_RATE = 0.01
# sigma-VAE keeps log sigma above this.
MIN_LOG_GAMMA = -6.0


def running_minimum(error, batch_error, rate=ERROR_RATE):
    """Next running error: the smaller of the last one and its discounted mean with the batch's.

    error <- min(error, (1 - rate) error + rate batch_error). It never grows and falls by at most
    `rate` of itself per update. gamma is its square root. Asperti & Trentin (2020).

    Args:
        error, batch_error: scalars, mean squared errors.
    """
    return ops.minimum(error, running_average(error, batch_error, rate))


def running_average(error, batch_error, rate=ERROR_RATE):
    """Next running error by the plain discounted mean, which may also grow."""
    return (1 - rate) * error + rate * batch_error


def optimal_gamma(batch_error, min_log_gamma=MIN_LOG_GAMMA):
    """The gamma that is best for a batch: the root of its mean squared error, softly clipped.

    log gamma = m + softplus(log(batch_error) / 2 - m) with m = `min_log_gamma`. Gradients flow
    through it; at the optimum they vanish, so that the loss has the gradient of a constant gamma
    of the same batch. Rybkin et al. (2021), section 3.3 and their code.

    Args:
        batch_error: scalar, mean squared error of the batch.
        min_log_gamma: where log gamma levels off.
    """
    log_gamma = 0.5 * ops.log(batch_error)
    return ops.exp(min_log_gamma + ops.softplus(log_gamma - min_log_gamma))


@keras.saving.register_keras_serializable("balancingvae")
class GammaRule(keras.layers.Layer):
    """Base of the rules: a layer from the batch's mean squared error to gamma, both scalars.

    `running_error` is a non-trainable float32 weight, 1 at first, that `update` moves after the
    loss, so that the next batch uses it. Every rule has it, so that every training shows it.

    Args:
        rate: weight of the newest batch in the running error.
    """

    # Whether latents of a second stage are generated with the decoder's noise added.
    generates_noise = False

    def __init__(self, rate=ERROR_RATE, name=None, **options):
        super().__init__(name=name, **(options | {"dtype": "float32"}))
        self.rate = check_positive_number("rate", rate)
        self._add_state()
        self.running_error = self.add_scalar("running_error", "ones", trainable=False)

    def _add_state(self):
        """Make the weights that come before `running_error`."""

    @property
    def gamma(self):
        """The standing gamma, a scalar tensor, unit of x: what evaluation and generation use."""
        return ops.sqrt(self.running_error)

    def for_batch(self, batch_error):
        """The gamma of this batch's loss, a scalar tensor.

        Args:
            batch_error: scalar, mean squared error of the batch, with its gradient.
        """
        return self.gamma

    def update(self, batch_error):
        """Take the mean squared error of a training batch into `running_error`."""
        batch_error = ops.stop_gradient(batch_error)
        self.running_error.assign(self.next_error(self.running_error, batch_error))

    def next_error(self, error, batch_error):
        """The running error after a batch; scalars."""
        return running_minimum(error, batch_error, self.rate)

    def call(self, batch_error):
        return self.for_batch(batch_error)

    def add_scalar(self, name, initializer, trainable):
        """A float32 scalar weight that stays float32 and is averaged over devices."""
        return self.add_weight(
            name=name,
            shape=(),
            initializer=initializer,
            trainable=trainable,
            dtype="float32",
            autocast=False,
            aggregation="mean",
        )

    def get_config(self):
        return {"name": self.name, "rate": self.rate}


@keras.saving.register_keras_serializable("balancingvae")
class ComputedGamma(GammaRule):
    """gamma^2 is the running minimum of the error. Asperti & Trentin (2020), the default."""


@keras.saving.register_keras_serializable("balancingvae")
class RunningAverageGamma(GammaRule):
    """gamma^2 is the discounted mean of the error, without the minimum."""

    def next_error(self, error, batch_error):
        return running_average(error, batch_error, self.rate)


@keras.saving.register_keras_serializable("balancingvae")
class LearnedGamma(GammaRule):
    """log gamma is a trainable scalar, the weight `log_gamma`. Dai & Wipf (2019).

    Args:
        initial: gamma at the start.
    """

    generates_noise = True  # as Dai & Wipf's code does

    def __init__(self, initial=1.0, **options):
        self.initial = check_positive_number("initial", initial)
        super().__init__(**options)

    def _add_state(self):
        start = keras.initializers.Constant(math.log(self.initial))
        self.log_gamma = self.add_scalar("log_gamma", start, trainable=True)

    @property
    def gamma(self):
        return ops.exp(self.log_gamma)

    def get_config(self):
        return super().get_config() | {"initial": self.initial}


@keras.saving.register_keras_serializable("balancingvae")
class FixedGamma(GammaRule):
    """gamma is a constant.

    Args:
        gamma: its value, unit of x.
    """

    def __init__(self, gamma=1.0, **options):
        self.value = check_positive_number("gamma", gamma)
        super().__init__(**options)

    @property
    def gamma(self):
        return ops.convert_to_tensor(self.value, "float32")

    def get_config(self):
        return super().get_config() | {"gamma": self.value}


@keras.saving.register_keras_serializable("balancingvae")
class BatchGamma(RunningAverageGamma):
    """gamma^2 is the error of the batch at hand: the optimal sigma of sigma-VAE.

    Between batches (`gamma`) it is that of the discounted mean of the errors.

    Args:
        min_log_gamma: where log gamma levels off.
    """

    def __init__(self, min_log_gamma=MIN_LOG_GAMMA, **options):
        self.min_log_gamma = float(min_log_gamma)
        super().__init__(**options)

    @property
    def gamma(self):
        return optimal_gamma(self.running_error, self.min_log_gamma)

    def for_batch(self, batch_error):
        return optimal_gamma(batch_error, self.min_log_gamma)

    def get_config(self):
        return super().get_config() | {"min_log_gamma": self.min_log_gamma}


def copy(rule):
    """A fresh rule with the settings of `rule`, in its initial state."""
    config = rule.get_config()
    del config["name"]
    return type(rule).from_config(config)


# Short names of the rules with their defaults.
RULES = {
    "computed": ComputedGamma,
    "computed_average": RunningAverageGamma,
    "learned": LearnedGamma,
    "fixed": FixedGamma,
    "batch": BatchGamma,
}


def get(rule):
    """The rule object for a short name; a rule object is returned as it is.

    Raises:
        UserError: an unknown name, or an object that is no rule.
    """
    if isinstance(rule, GammaRule):
        return rule
    if isinstance(rule, str):
        return RULES[check_choice("balance", rule, RULES)]()
    raise UserError(
        f"balance must be a name or a balancingvae.gamma.GammaRule, got {rule!r}. "
        f"Names: {', '.join(sorted(RULES))}."
    )
