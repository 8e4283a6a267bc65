"""What the papers compare with: deterministic autoencoders, and densities fitted to latents."""
