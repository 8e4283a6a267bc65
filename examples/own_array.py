"""An array of your own: train a VAE with a VampPrior, measure log p(x), sample, save and load."""

import keras
from sklearn.datasets import load_digits

import vampprior

x = load_digits().images[..., None] > 7  # bool, uint8 0..255, or floats in [0, 1]: (n, 8, 8, 1)
vae = vampprior.VAE(x.shape[1:], prior=vampprior.VampPrior(50), likelihood="bernoulli")
vae.compile(keras.optimizers.Adam(1e-3))
vae.fit(x[:1500], epochs=20, batch_size=50, validation_data=(x[1500:],), verbose=2)
print("log p(x):", vae.log_likelihood(x[1500:], num_samples=100).mean(), "nats per image")
vae.save("vae.keras")
images = keras.saving.load_model("vae.keras").sample(16)  # (16, 8, 8, 1), floats in [0, 1]
