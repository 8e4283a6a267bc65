"""Rules for gamma, the standard deviation of the decoder's Gaussian noise, unit of x.

Pure functions come first, then one Keras layer per rule; its weights are the state of the rule. A
model calls the layer with the batch's mean squared error to get the gamma of this batch's loss. In
training it then calls `update`. To write a rule of your own, subclass `GammaRule`.

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
    """Next running error: the smaller of the last one and the discounted mean with the batch error.

    error <- min(error, (1 - rate) error + rate batch_error). It never grows, and each update lowers
    it by at most the fraction `rate`. gamma is its square root. Asperti & Trentin (2020).

    Args:
        error, batch_error: scalars, mean squared errors.
    """
    return ops.minimum(error, running_average(error, batch_error, rate))


def running_average(error, batch_error, rate=ERROR_RATE):
    """Next running error as the plain discounted mean, which may also grow."""
    return (1 - rate) * error + rate * batch_error


def optimal_gamma(batch_error, min_log_gamma=MIN_LOG_GAMMA):
    """The gamma that is best for a batch: the root of its mean squared error, softly clipped.

    log gamma = m + softplus(log(batch_error) / 2 - m) with m = `min_log_gamma`. Gradients flow
    through it. The loss has no gradient with respect to gamma at the optimum, so its gradient is
    that of a constant gamma with the same value. Rybkin et al. (2021), section 3.3 and their code.

    Args:
        batch_error: scalar, mean squared error of the batch.
        min_log_gamma: lower limit that log gamma approaches.
    """
    log_gamma = 0.5 * ops.log(batch_error)
    return ops.exp(min_log_gamma + ops.softplus(log_gamma - min_log_gamma))


@keras.saving.register_keras_serializable("balancingvae")
class GammaRule(keras.layers.Layer):
    """Base class of the rules: a layer from the batch's mean squared error to gamma, both scalars.

    `running_error` is a non-trainable float32 weight, 1 at first. `update` changes it after the
    loss, so the new value applies to the next batch. Every rule has it, so that every training
    can show it.

    Args:
        rate: weight of the newest batch in the running error.
    """

    # Whether a second stage adds the decoder's noise to the latents that it generates.
    generates_noise = False

    def __init__(self, rate=ERROR_RATE, name=None, **options):
        super().__init__(name=name, **(options | {"dtype": "float32"}))
        self.rate = check_positive_number("rate", rate)
        self._add_state()
        self.running_error = self.add_scalar("running_error", "ones", trainable=False)

    def _add_state(self):
        """Create the weights that precede `running_error`."""

    @property
    def gamma(self):
        """The current gamma, a scalar tensor, unit of x; evaluation and generation use it."""
        return ops.sqrt(self.running_error)

    def for_batch(self, batch_error):
        """The gamma of this batch's loss, a scalar tensor.

        Args:
            batch_error: scalar, mean squared error of the batch; gradients may flow through it.
        """
        return self.gamma

    def update(self, batch_error):
        """Update `running_error` with the mean squared error of a training batch."""
        batch_error = ops.stop_gradient(batch_error)
        self.running_error.assign(self.next_error(self.running_error, batch_error))

    def next_error(self, error, batch_error):
        """The running error after a batch; scalars."""
        return running_minimum(error, batch_error, self.rate)

    def call(self, batch_error):
        return self.for_batch(batch_error)

    def add_scalar(self, name, initializer, trainable):
        """Add a scalar weight that stays float32 and is averaged over devices."""
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
    """gamma^2 is the running minimum of the error; the default. Asperti & Trentin (2020)."""


@keras.saving.register_keras_serializable("balancingvae")
class RunningAverageGamma(GammaRule):
    """gamma^2 is the discounted mean of the error, without the minimum."""

    def next_error(self, error, batch_error):
        return running_average(error, batch_error, self.rate)


@keras.saving.register_keras_serializable("balancingvae")
class LearnedGamma(GammaRule):
    """log gamma is a trainable scalar, the weight `log_gamma`. Dai & Wipf (2019).

    Args:
        initial: initial value of gamma.
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
    """gamma^2 is the error of the current batch: the optimal sigma of sigma-VAE.

    Outside a batch (`gamma`), it follows from the discounted mean of the batch errors.

    Args:
        min_log_gamma: lower limit that log gamma approaches.
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
    """The rule object for a short name; a rule object is returned unchanged.

    Raises:
        UserError: the name is unknown, or the object is not a rule.
    """
    if isinstance(rule, GammaRule):
        return rule
    if isinstance(rule, str):
        return RULES[check_choice("balance", rule, RULES)]()
    raise UserError(
        f"balance must be a name or a balancingvae.gamma.GammaRule, got {rule!r}. "
        f"Names: {', '.join(sorted(RULES))}."
    )
