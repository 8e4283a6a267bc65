"""Packaging; the settings of tools are in pyproject.toml."""

from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
VERSION = next(
    line.split('"')[1]
    for line in (ROOT / "vaekit" / "__init__.py").read_text(encoding="utf-8").splitlines()
    if line.startswith("__version__")
)
# The documentation site: pages, API pages from docstrings, formulas without scripts.
# The last mkdocstrings for Python 3.10 does not work with later pymdown-extensions.
DOCS = [
    "mkdocs-material>=9.5",
    "mkdocstrings[python]>=0.27",
    "latex2mathml>=3.77",
    "pymdown-extensions<12; python_version < '3.11'",
]

setup(
    name="balancingvae",
    version=VERSION,
    description="Two-stage VAEs with a computed balance, and VAEs with a VampPrior, on Keras 3",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=[
        "balancingvae",
        "balancingvae.baselines",
        "balancingvae.networks",
        "balancingvae.paper",
        "balancingvae.tf1",
        "vampprior",
        "vampprior.networks",
        "vampprior.paper",
        "vaekit",
        "vaekit.datasets",
        "vaekit.fid",
        "vaekit.release",
        "vaekit.reporting",
        "vaekit.training",
    ],
    package_data={"vaekit.reporting": ["templates/*.html"]},
    install_requires=[
        "tensorflow>=2.18",  # default Keras backend; TF1 checkpoints; the Inception graph of FID
        "keras>=3.10",  # layers, training loop and backends of every model
        "numpy>=1.26",  # arrays
        "scipy>=1.11",  # .mat datasets; LAPACK factorisations of the Frechet distance
        "pillow>=10",  # image files: decoding, CelebA's resize, JPEG round trip, PNG grids
        "matplotlib>=3.8",  # curves, histograms and scatter plots of the reports
        "tqdm>=4.66",  # progress bars with the time left
        "scikit-learn>=1.3",  # the embedded digits dataset
        "tensorflow-datasets>=4.9",  # downloads of CIFAR-10, CelebA and the MNISTs
        "importlib_resources>=5",  # tensorflow-datasets imports it without declaring it
        "tensorflow-gan>=2.1",  # Inception constants, batching, kernel distance of FID
        "tensorflow-hub>=0.16",  # loads the Inception module of FID; installs tf-keras
        "jinja2>=3.1",  # the HTML pages of reports, with escaped texts
        "pooch>=1.8",  # downloads of datasets, checkpoints and weights, checked by their digest
        "requests>=2.31",  # the exceptions of pooch's downloads
    ],
    extras_require={
        "jax": ["jax>=0.4.30"],  # another Keras backend: KERAS_BACKEND=jax
        "torch": ["torch>=2.1"],  # another Keras backend: KERAS_BACKEND=torch
        "tensorboard": ["tensorboard>=2.18"],  # --tensorboard
        "docs": DOCS,
        "dev": [
            "jax>=0.4.30",  # the tests train on this backend too
            "pytest>=8",  # the tests
            "pytest-xdist>=3.5",  # the tests on all cores
            "ruff>=0.6",  # linting and formatting
            "nbclient>=0.10",  # the notebooks run in a test
            "ipykernel>=6.29",  # the kernel of the notebooks
            *DOCS,
        ],
    },
    entry_points={
        "console_scripts": [
            "balancingvae = balancingvae.__main__:command",
            "vampprior = vampprior.__main__:command",
        ]
    },
)
