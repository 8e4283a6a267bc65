"""`python -m balancingvae`: see `balancingvae.cli`."""

from balancingvae.cli import command

if __name__ == "__main__":
    raise SystemExit(command())
