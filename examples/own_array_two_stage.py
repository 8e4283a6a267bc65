"""An array of your own: train both stages with the computed gamma, generate, save and load."""

import keras
from sklearn.datasets import load_digits

import balancingvae

x = load_digits().images[..., None] / 16  # floats in [0, 1], bool, or uint8 0..255: (n, 8, 8, 1)
network = balancingvae.networks.ResNet(num_scale=2, base_dim=16, fc_dim=128)
two = balancingvae.TwoStageVAE(x.shape[1:], latent_dim=16, network=network, second_width=256)
two.compile(keras.optimizers.Adam(1e-3))
two.fit(x, epochs=20, second_epochs=40, batch_size=50, verbose=2)
two.save("two_stage.keras")
images = keras.saving.load_model("two_stage.keras").generate(16)  # (16, 8, 8, 1) in [0, 1]
