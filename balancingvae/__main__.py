"""`python -m balancingvae`; see `balancingvae.cli`."""

from balancingvae.cli import command, main

__all__ = ["command", "main"]

if __name__ == "__main__":
    raise SystemExit(command())
