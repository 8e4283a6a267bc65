"""`python -m vampprior`: see `vampprior.cli`."""

from vampprior.cli import command, main

__all__ = ["command", "main"]

if __name__ == "__main__":
    raise SystemExit(command())
