"""Networks of the VAE: encoders give (mean, log_var), decoders the likelihood's parameters."""

from vampprior.networks.dense import DenseDecoder, DenseEncoder, GatedDense

__all__ = ["DenseDecoder", "DenseEncoder", "GatedDense"]
