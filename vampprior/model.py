"""The VAE with one level of latents: networks, prior, likelihood, and their equations."""

import math

import keras
from keras import ops

from vaekit import random
from vaekit.distributions import check_latents, posterior_log_prob, sample_posterior
from vaekit.errors import UserError, check_positive_integer
from vaekit.images import scaled
from vaekit.training import checkpoints, predict
from vaekit.training.inputs import FunctionModel, ImageInputs
from vampprior import checkpoint, likelihoods, presets, priors
from vampprior.config import model_arguments
from vampprior.elbo import elbo
from vampprior.mixtures import mixture_log_prob
from vampprior.networks import DenseDecoder, DenseEncoder
from vampprior.scoring import Scoring

BATCH = 500  # rows at a time in encode and decode


@keras.saving.register_keras_serializable("vampprior")
class VAE(Scoring, ImageInputs, keras.Model):
    """Variational autoencoder of images with a prior and a likelihood of your choice.

    By default encoder and decoder each have two gated layers of 300 units, as in Tomczak & Welling
    (2018). `fit` accepts images `(n, height, width, channels)` as uint8 0..255, bool, or floats in
    [0, 1], inside the likelihood's support.

    Args:
        image_shape: `(height, width, channels)`; may be omitted beside an encoder that is a built
            Keras model.
        latent_dim: number of latents, by default 40; may be omitted likewise.
        prior: a `priors.Prior`, or the short name of one with default arguments: "standard",
            "mixture" or "vampprior".
        likelihood: a `likelihoods.Likelihood`, or "discretized_logistic" (grey levels or colours),
            "bernoulli" (0/1 pixels), "gaussian" (continuous pixels).
        encoder: a Keras model or layer from images in [0, 1] to (mean, log_var), each
            `(batch, latent_dim)`.
        decoder: a Keras model or layer from latents to the likelihood's parameters, either flat or
            of the image's shape with `outputs_per_pixel` times its channels.
        hidden_units, gated: arguments of the default networks; see `networks.DenseEncoder`.
        seed: seed of the noise in training; None draws one.
    Raises:
        UserError: sizes do not fit together.
    """

    def __init__(
        self,
        image_shape=None,
        latent_dim=None,
        prior="vampprior",
        likelihood="discretized_logistic",
        encoder=None,
        decoder=None,
        hidden_units=(300, 300),
        gated=True,
        seed=None,
        name="vae",
    ):
        super().__init__(name=name, dtype="float32")
        self.image_shape, self.latent_dim = _sizes(image_shape, latent_dim, encoder)
        self.pixels = math.prod(self.image_shape)
        self.likelihood = likelihoods.get(likelihood)
        # q(z given x)
        self.encoder = encoder or DenseEncoder(self.latent_dim, hidden_units, gated, name="encoder")
        moments = self.encoder(keras.Input(self.image_shape, dtype="float32"))
        # p(x given z)
        outputs = self.pixels * self.likelihood.outputs_per_pixel
        self.decoder = decoder or DenseDecoder(outputs, hidden_units, gated, name="decoder")
        parameters = self.decoder(keras.Input((self.latent_dim,), dtype="float32"))
        _check_networks(moments, self.latent_dim, parameters, outputs)
        # p(z)
        self.prior = priors.get(prior)
        if self.prior.built:
            raise UserError("This prior belongs to another model. Pass a new one to each VAE.")
        network = self.encoder
        self.prior.connect(lambda images: tuple(network(images)), self.image_shape)
        self.prior.build((None, self.latent_dim))
        # training: weight of the KL, randomness, means over an epoch
        self.beta = self.add_weight(name="beta", shape=(), initializer="ones", trainable=False)
        self.seed = seed
        self.noise = keras.random.SeedGenerator(seed, name="noise")
        self.trackers = [keras.metrics.Mean(name=n) for n in ("elbo", "reconstruction", "kl")]
        self.built = True

    @classmethod
    def from_preset(cls, name, weights=True):
        """The model of a preset (`vampprior.PRESETS`).

        Args:
            name: name of the preset, or of a released checkpoint.
            weights: True loads the released weights; False gives an untrained model.
        """
        if weights:
            return cls.from_run(name)
        return cls(**model_arguments(presets.preset(name)))

    @classmethod
    def from_run(cls, directory):
        """The trained model of a run directory or a released checkpoint; loading executes no code.

        Args:
            directory: the folder, or a released checkpoint's name ("digits_vampprior").
        Raises:
            UserError: the directory contains no vampprior model, or a damaged one.
        """
        found = checkpoint.read(directory)
        model = cls(**model_arguments(found.config, found.without_images))
        checkpoints.assign(model.density_variables(), found.arrays, found.path)
        return model

    # training

    def call(self, images, training=False):
        """Batch of images -> (reconstruction, kl), each `(batch,)`, nats, with one sample of z."""
        x = self._flat_pixels(images, training)
        shaped = ops.reshape(x, (-1, *self.image_shape))
        components = None
        if isinstance(self.prior, priors.VampPrior) and hasattr(self.encoder, "encode_both"):
            # One pass encodes images and pseudo-inputs.
            (mean, log_var), components = self.encoder.encode_both(shaped, self.prior.matrix)
        else:
            mean, log_var = self.encoder(shaped, training=training)
        noise = random.normal(self.noise, (ops.shape(x)[0], self.latent_dim))
        return self._bound_terms(x, mean, log_var, noise, components, training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Minus the ELBO, nats per image, plus the networks' own regularisers.

        In training, `beta` weights the KL term.
        """
        reconstruction, kl = y_pred
        for tracker, values in zip(
            self.trackers, (elbo(reconstruction, kl), reconstruction, kl), strict=True
        ):
            tracker.update_state(values)
        beta = self.beta if training else 1.0
        return -ops.mean(elbo(reconstruction, kl, beta)) + sum(self.losses)

    def fit(self, *args, **keywords):
        """Like `keras.Model.fit`; the class describes x.

        Raises:
            UserError: images are outside the likelihood's support, or the prior lacks its images.
        """
        self.prior.check_ready()
        return super().fit(*args, **keywords)

    def evaluate(self, *args, **keywords):
        """Like `keras.Model.evaluate`; raises as `fit` does."""
        self.prior.check_ready()
        return super().evaluate(*args, **keywords)

    def adapt(self, images):
        """Let a prior that starts from training images draw them; see `VampPrior.adapt`."""
        if not hasattr(self.prior, "adapt"):
            raise UserError(
                f"{type(self.prior).__name__} does not adapt to images; "
                'VampPrior(start="data") does.'
            )
        self.prior.adapt(self.likelihood.compact(images, self.image_shape, training=True))

    def check_input(self, images, training):
        return self.likelihood.compact(images, self.image_shape, training)

    def reconstruction_model(self):
        """The `keras.Model` that `predict` uses, from images to pixel means."""

        def reconstruct(images):
            return self._image_means(self.encoder(scaled(images, self.likelihood.binary))[0])

        return FunctionModel(reconstruct)

    def _flat_pixels(self, images, training):
        """`(batch, pixels)` in [0, 1]; in training, dynamic binarisation draws them anew."""
        drawn = self.likelihood.dynamic_binarization
        x = ops.reshape(images, (-1, self.pixels))
        if not (drawn and training):
            return scaled(x, self.likelihood.binary)
        draws = random.uniform(self.noise, ops.shape(x))
        # The comparison is on the scale of levels, so that uint8 and floats give the same pixels.
        levels = keras.backend.standardize_dtype(x.dtype) == "uint8"
        x = ops.cast(x, "float32") * (1.0 if levels else 255.0)
        return ops.cast(draws * 255.0 < x, "float32")

    def _bound_terms(self, x, mean, log_var, noise, components=None, training=False):
        z = sample_posterior(mean, log_var, noise)
        reconstruction = self.likelihood.log_prob(x, self._decoded(z, training))
        if components is None:
            return reconstruction, self.prior.kl(mean, log_var, z, noise)
        return reconstruction, posterior_log_prob(log_var, noise) - mixture_log_prob(z, *components)

    def _decoded(self, z, training=False):
        """The likelihood's parameters, `(batch, outputs_per_pixel * pixels)`, one after another."""
        outputs = self.decoder(z, training=training)
        if len(outputs.shape) == 2:
            return outputs
        parts = ops.split(outputs, self.likelihood.outputs_per_pixel, axis=-1)
        return ops.concatenate([ops.reshape(part, (-1, self.pixels)) for part in parts], axis=-1)

    def _image_means(self, z):
        means = self.likelihood.mean(self._decoded(z))
        return ops.reshape(means, (-1, *self.image_shape))

    # numpy in, numpy out

    @property
    def pseudo_inputs(self):
        """numpy `(num_pseudo_inputs, height, width, channels)` in [0, 1]; None without a
        VampPrior."""
        return getattr(self.prior, "pseudo_inputs", None)

    def encode(self, images):
        """Posterior (mean, log_var) of images, each numpy `(n, latent_dim)`."""
        return self._encode(self.likelihood.check(images, self.image_shape))

    def decode(self, z):
        """Pixel means of latents `(n, latent_dim)`, numpy `(n, height, width, channels)`."""
        z = check_latents(z, self.latent_dim)
        return predict(lambda part: _numpy(self._image_means(part)), z, BATCH)

    def reconstruct(self, images):
        """Pixel means at the posterior's mean, numpy `(n, height, width, channels)`."""
        return self.decode(self.encode(images)[0])

    def sample(self, n, seed=None):
        """Pixel means of `n` draws from the prior, numpy `(n, height, width, channels)`."""
        check_positive_integer("n", n)
        self.prior.check_ready()
        return self.decode(self.prior.sample(n, seed))

    def _encode(self, x):
        return predict(lambda part: tuple(map(_numpy, self.encoder(part))), x, BATCH)

    def density_variables(self):
        """The variables of encoder, decoder and prior, on which every density depends."""
        return [v for part in (self.encoder, self.decoder, self.prior) for v in part.variables]

    # serialisation

    def get_config(self):
        parts = ("prior", "likelihood", "encoder", "decoder")
        return {
            "image_shape": self.image_shape,
            "latent_dim": self.latent_dim,
            **{name: keras.saving.serialize_keras_object(getattr(self, name)) for name in parts},
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        parts = ("prior", "likelihood", "encoder", "decoder")
        made = {name: keras.saving.deserialize_keras_object(config[name]) for name in parts}
        return cls(**config | made)


def _sizes(image_shape, latent_dim, encoder):
    """(image_shape, latent_dim) as given, else those of a built encoder, else 40 latents."""
    if encoder is not None and image_shape is None and hasattr(encoder, "input_shape"):
        image_shape = encoder.input_shape[1:]
    if encoder is not None and latent_dim is None and hasattr(encoder, "output_shape"):
        shape = encoder.output_shape
        latent_dim = shape[0][-1] if isinstance(shape[0], (tuple, list)) else None
    if image_shape is None or len(image_shape) != 3:
        raise UserError(
            f"image_shape must be (height, width, channels), got {image_shape!r}. Pass it, or an "
            "encoder that is a Keras model of images."
        )
    for size in image_shape:
        check_positive_integer("each size of image_shape", size)
    latent_dim = check_positive_integer("latent_dim", 40 if latent_dim is None else latent_dim)
    return tuple(image_shape), latent_dim


def _check_networks(moments, latent_dim, parameters, outputs):
    """Raise a UserError if the networks have other outputs than the model needs."""
    pair = isinstance(moments, (tuple, list)) and len(moments) == 2
    if not pair or any(tuple(part.shape) != (None, latent_dim) for part in moments):
        shapes = [tuple(part.shape) for part in moments] if pair else moments
        raise UserError(
            "The encoder must give two outputs, mean and log_var, each of shape "
            f"(batch, {latent_dim}), got {shapes}."
        )
    found = math.prod(parameters.shape[1:])
    if found != outputs:
        raise UserError(
            f"The decoder must give {outputs} values per image for this likelihood, got {found} "
            f"(shape {tuple(parameters.shape)})."
        )


def _numpy(tensor):
    return ops.convert_to_numpy(tensor)
