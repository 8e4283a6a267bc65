"""The models: `BalancedVAE` of images, `LatentVAE` of latents, and both as `TwoStageVAE`."""

import keras
import numpy as np

from balancingvae import gamma as gamma_rules
from balancingvae.between_stages import joined_history, posterior_of
from balancingvae.gaussian_vae import METRICS
from balancingvae.one_stage import BalancedVAE, LatentVAE
from balancingvae.renormalization import GENERATED_BATCH, prior_latents, renormalized_latents
from vaekit.errors import UserError, check_choice, check_positive_integer, check_positive_number
from vaekit.images import scaled

__all__ = ["BalancedVAE", "LatentVAE", "TwoStageVAE"]

STAGES = ("stage_one", "stage_two")
# Arguments of `keras.Model.fit` that both stages get.
SHARED = ("shuffle", "validation_split", "validation_batch_size", "validation_freq")


@keras.saving.register_keras_serializable("balancingvae")
class TwoStageVAE(keras.Model):
    """A VAE of images and a second VAE of its latents. Dai & Wipf (2019), Asperti & Trentin (2020).

    `fit` trains both. Calling the model, like `predict`, gives reconstructions from the posterior
    means. `stage_one` (a `BalancedVAE`) and `stage_two` (a `LatentVAE`) are models of their own.

    Args:
        image_shape: `(height, width, channels)`; may be omitted if you pass an encoder.
        latent_dim: number of latents of both stages; the encoder determines it if you pass one.
        encoder, decoder: your own networks for the first stage, as in `BalancedVAE`.
        network: otherwise a name or builder of `balancingvae.networks`.
        balance: the rule for gamma of the first stage, as in `BalancedVAE`.
        second_balance: the rule of the second stage; None for the same rule.
        kl_weight: factor k of the first stage's KL; None for the published `losses.kl_factor`.
        reconstruction, original_constant: as in `BalancedVAE`.
        second_depth, second_width: dense layers of the second stage, and their units.
        latent_std: deviation to which generated latents are renormalised: 1 is that of the prior,
            None leaves them unchanged.
        seed: seed of the noise; the two stages draw independently.
        dtype, second_dtype: Keras dtype policies of the networks of the two stages.
    """

    def __init__(
        self,
        image_shape=None,
        latent_dim=None,
        encoder=None,
        decoder=None,
        network=None,
        balance="computed",
        second_balance=None,
        kl_weight=None,
        reconstruction="gaussian",
        original_constant=False,
        second_depth=3,
        second_width=2048,
        latent_std=1.0,
        seed=None,
        dtype="float32",
        second_dtype="float32",
        name="two_stage_vae",
    ):
        super().__init__(name=name, dtype="float32")
        balance = gamma_rules.get(balance)
        if second_balance is None:
            second_balance = gamma_rules.copy(balance)
        self.seed = seed
        self.stage_one = BalancedVAE(
            encoder,
            decoder,
            balance=balance,
            kl_weight=kl_weight,
            reconstruction=reconstruction,
            network=network,
            image_shape=image_shape,
            latent_dim=latent_dim,
            original_constant=original_constant,
            seed=None if seed is None else 2 * seed,
            dtype=dtype,
            name="stage_one",
        )
        self.stage_two = LatentVAE(
            self.stage_one.latent_dim,
            second_depth,
            second_width,
            balance=second_balance,
            original_constant=original_constant,
            seed=None if seed is None else 2 * seed + 1,
            dtype=second_dtype,
            name="stage_two",
        )
        self._latent_std = self.add_weight(
            name="latent_std",
            shape=(),
            initializer="ones",
            trainable=False,
            dtype="float32",
            autocast=False,
            aggregation="mean",
        )
        self.latent_std = latent_std
        self.jit_compile = keras.backend.backend() == "jax"
        self.build((None, *self.stage_one.image_shape))

    def build(self, input_shape):
        """Call both stages once, so that their shapes are known."""
        self.stage_one(keras.Input(input_shape[1:], name="images"))
        self.stage_two(keras.Input((self.latent_dim,), name="z"))

    @classmethod
    def from_preset(cls, name, weights=True):
        """The model of a preset.

        Args:
            name: a key of `balancingvae.PRESETS`; with weights, the name of a released checkpoint.
            weights: whether to load the released weights; otherwise the model is untrained.
        """
        import balancingvae  # its public functions, which build on this module

        if weights:
            return balancingvae.load(name)
        return balancingvae.presets.model(balancingvae.preset(name))

    @property
    def image_shape(self):
        """`(height, width, channels)`."""
        return self.stage_one.image_shape

    @property
    def latent_dim(self):
        """Number of latents of each stage."""
        return self.stage_one.latent_dim

    @property
    def latent_std(self):
        """The deviation to which generated latents are renormalised, or None for no change.

        It is saved with the weights; a training run sets it (`train.latent_std`).
        """
        value = float(keras.ops.convert_to_numpy(self._latent_std))
        return None if np.isnan(value) else value

    @latent_std.setter
    def latent_std(self, value):
        value = np.nan if value is None else check_positive_number("latent_std", value)
        self._latent_std.assign(value)

    def call(self, images, training=False):
        mean, _ = self.stage_one.encoder(scaled(images), training=training)
        return self.stage_one.decoder(mean, training=training)

    def compile(self, optimizer="adam", second_optimizer=None, **options):
        """Prepare both stages for training.

        Args:
            optimizer: optimizer of the first stage, as for `keras.Model.compile`.
            second_optimizer: that of the second stage; None for a new one with the same settings.
            options: further arguments of `keras.Model.compile`, for both stages.
        """
        optimizer = keras.optimizers.get(optimizer)
        if second_optimizer is None:
            second_optimizer = type(optimizer).from_config(optimizer.get_config())
        self.stage_one.compile(optimizer, **options)
        self.stage_two.compile(second_optimizer, **options)

    def get_compile_config(self):
        return {stage: getattr(self, stage).get_compile_config() for stage in STAGES}

    def compile_from_config(self, config):
        for stage, settings in config.items():
            if settings:
                getattr(self, stage).compile_from_config(settings)

    def fit(
        self,
        x,
        epochs=1,
        second_epochs=None,
        batch_size=None,
        validation_data=None,
        callbacks=None,
        second_callbacks=None,
        verbose="auto",
        **options,
    ):
        """Train the first stage on images, then the second on their posteriors.

        Args:
            x: images, as an array or a stream that can be read twice; see `BalancedVAE`.
            epochs: epochs of the first stage; 0 skips its training.
            second_epochs: epochs of the second stage; None for twice `epochs`, 0 skips it.
            batch_size, validation_data, verbose: as for `keras.Model.fit`, for both stages.
            callbacks, second_callbacks: callbacks of the first and of the second stage.
            options: further arguments of `keras.Model.fit`. Those that say how to read x, such as
                `steps_per_epoch`, also apply when x is read once between the stages.
        Returns:
            A `keras.callbacks.History` with keys "stage_one_loss", "stage_two_loss" and so on.
        """
        epochs = check_positive_integer("epochs", epochs, least=0)
        second_epochs = 2 * epochs if second_epochs is None else second_epochs
        second_epochs = check_positive_integer("second_epochs", second_epochs, least=0)
        if second_epochs and hasattr(x, "__next__"):
            raise UserError(
                "x must be readable twice, once for each stage, got a generator. Pass an array, a "
                "tf.data.Dataset or a keras.utils.PyDataset, or second_epochs=0."
            )
        plan = {"batch_size": batch_size, "verbose": verbose}
        found = {}
        if epochs:
            found["stage_one"] = self.stage_one.fit(
                x, epochs=epochs, validation_data=validation_data, callbacks=callbacks,
                **plan, **options,
            )  # fmt: skip
        if second_epochs:
            if validation_data is not None:
                steps = options.get("validation_steps")
                validation_data = (posterior_of(self.stage_one, validation_data, steps)[0],)
            steps = options.get("steps_per_epoch")
            posterior, plan["batch_size"] = posterior_of(self.stage_one, x, steps, batch_size)
            found["stage_two"] = self.stage_two.fit(
                posterior, epochs=second_epochs, validation_data=validation_data,
                callbacks=second_callbacks, **plan,
                **{key: options[key] for key in SHARED if key in options},
            )  # fmt: skip
        self.history = joined_history(self, found)
        return self.history

    def evaluate(self, x, batch_size=None, verbose="auto", return_dict=False, **options):
        """Losses and metrics of both stages, named as in `fit`; arguments as in `keras.Model`."""
        plan = {"verbose": verbose, "return_dict": True}
        found = {"stage_one": self.stage_one.evaluate(x, batch_size=batch_size, **plan, **options)}
        posterior, size = posterior_of(self.stage_one, x, options.get("steps"), batch_size)
        found["stage_two"] = self.stage_two.evaluate(posterior, batch_size=size, **plan)
        results = {
            f"{stage}_{key}": found[stage][key] for stage in STAGES for key in ("loss", *METRICS)
        }
        return results if return_dict else list(results.values())

    def predict(self, x, *args, **keywords):
        """Reconstructions from the posterior means; arguments as for `keras.Model.predict`."""
        return super().predict(self.stage_one._checked(x, training=False), *args, **keywords)

    def encode(self, images):
        """Posterior of z: numpy `(mean, log_var)`, each `(n, latent_dim)`; see `BalancedVAE`."""
        return self.stage_one.encode(images)

    def decode(self, z):
        """Images `(n, height, width, channels)` in [0, 1] from latents `(n, latent_dim)`."""
        return self.stage_one.decode(z)

    def reconstruct(self, images, sample=False, seed=None):
        """Encode and decode images; arguments and result as in `BalancedVAE.reconstruct`."""
        return self.stage_one.reconstruct(images, sample, seed)

    def generate(self, n, stage=2, renormalize=True, seed=None):
        """Generate images `(n, height, width, channels)` in [0, 1] from the prior of a stage.

        Args:
            n: number of images.
            stage: 1 draws z from N(0, I); 2 draws u from N(0, I) and decodes it to z.
            renormalize: whether to scale latents to the deviation `latent_std`.
            seed: seed of all draws.
        """
        return self.decode(self.generate_latents(n, stage, renormalize, seed))

    def generate_latents(self, n, stage=2, renormalize=True, seed=None):
        """The latents z `(n, latent_dim)` that `generate` decodes, with the same arguments."""
        n = check_positive_integer("n", n)
        check_choice("stage", stage, (1, 2))
        rng = np.random.default_rng(seed)
        target = self.latent_std if renormalize else None
        # Whole batches are drawn, so that few images too are scaled by the deviation of a batch.
        batches = -(-n // GENERATED_BATCH)
        noise = rng.standard_normal((batches * GENERATED_BATCH, self.latent_dim))
        if stage == 1:
            return prior_latents(noise, target)[:n]
        z = self.stage_two.decode(noise)
        if self.stage_two.balance.generates_noise:
            z = z + float(self.stage_two.gamma) * rng.standard_normal(z.shape)
        return renormalized_latents(z, target)[:n]

    def get_config(self):
        one, two = self.stage_one.get_config(), self.stage_two.get_config()
        shared = ("image_shape", "encoder", "decoder", "network", "latent_dim", "dtype")
        shared += ("balance", "kl_weight", "reconstruction", "original_constant")
        return {key: one[key] for key in shared if key in one} | {
            "second_balance": two["balance"],
            "second_depth": two["depth"],
            "second_width": two["width"],
            "second_dtype": two["dtype"],
            "latent_std": self.latent_std,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        """The model from `get_config`; nested objects are created first."""
        return cls(**keras.saving.deserialize_keras_object(config))
