"""The pictures of README and documentation: `python docs/tools/make_images.py [REPORT.html]`.

docs/images/digits.png shows the released digits checkpoints. With the page of a report, such as
reports/digits/report.html, a local Chromium creates the screenshot docs/images/report.png.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
COLUMNS = 12
WINDOW = "1080,2200"  # pixels of the screenshot
# A browser contacts its vendor when it starts. These options disable most of it; NOWHERE the rest.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
]
NOWHERE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


def draw_digits(path):
    """Two rows each: test images, reconstructions, GEN-2, samples of the VAE with a VampPrior."""
    import numpy as np

    import balancingvae
    import vampprior
    from vaekit import datasets
    from vaekit.reporting import plots

    count = 2 * COLUMNS
    images = datasets.load("digits").test[:count]
    two_stage = balancingvae.load("digits")
    rows = [
        images / np.float32(255),
        two_stage.reconstruct(images),
        two_stage.generate(count, stage=2, renormalize=True, seed=1),
        vampprior.load("digits_vampprior").sample(count, seed=1),
    ]
    plots.image_grid(path, np.concatenate(rows), COLUMNS)


def browser():
    """Path of Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for found in map(shutil.which, names) if found), None)


def visit(url, *options, seconds=60):
    """Run a headless browser on one page and return what it wrote to stdout and stderr."""
    with tempfile.TemporaryDirectory() as profile:
        command = [browser(), *FLAGS, NOWHERE, f"--user-data-dir={profile}", *options, url]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=seconds,
            env={**os.environ, "TZ": "UTC"},
        )
    return done.stdout, done.stderr


def main(report=None):
    """Write the pictures."""
    sys.path.insert(0, str(ROOT))
    draw_digits(IMAGES / "digits.png")
    if report:
        target = IMAGES / "report.png"
        visit(Path(report).resolve().as_uri(), f"--screenshot={target}", f"--window-size={WINDOW}")
        _shrink(target)
    print(*sorted(IMAGES.glob("*.png")), sep="\n")


def _shrink(path):
    """Reduce a picture to 64 colours: a third of the bytes, without a visible difference."""
    from PIL import Image

    with Image.open(path) as image:
        small = image.convert("RGB").quantize(64)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
