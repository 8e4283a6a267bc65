"""Baselines of the papers: deterministic autoencoders, and densities fitted to latents."""
