#!/usr/bin/env bash
# One entry point: set-up, then one target. This script only selects targets; the work is done in Python.
set -euo pipefail

usage() {
    cat <<'EOF'
usage: ./reproduce.sh TARGET [options]

targets                     what it makes                                     time on two CPU cores
  digits                    both packages on 8 x 8 digits, and a report       under 3 minutes
  tests                     linter and test suite                             under 5 minutes
  docs                      the documentation site in site/                   a minute
  cifar10, celeba           two-stage VAE, the papers' presets and tables     weeks (--quick: under 10 minutes)
  static_mnist, fashion_mnist, frey_faces, caltech101
                            MLP VAE with each prior: a row of Table 1         an hour to days
  vampprior_k               log-likelihood against the number of pseudo-inputs  hours
  variance                  variance loss against mse: networks and datasets  half an hour
  policies, baselines, renormalization
                            rules for gamma, other autoencoders, renormalisation   see --help of each
  tables                    learning-rate sweep (cifar10), models 1 to 4 (celeba)  --scale small for CPUs
  figures                   the other figures of the balancing papers         see --help
  balancingvae-DATASET      two-stage VAE: training, evaluation, report       see below
  vampprior-DATASET         MLP VAE with each prior: the same                 see below

DATASET is digits, mnist, fashion_mnist, static_mnist, frey_faces, caltech101_silhouettes, cifar10, celeba,
or folder:PATH for images of your own. One epoch needs seconds (digits, frey_faces) to minutes (cifar10).
Shorten a run with --epochs N and --images N, or (two-stage VAE) --scale small; repeat it with --seeds N.
Options after the target are passed to the command line of the package;
./reproduce.sh vampprior-digits --help lists them (--protocol tomczak selects the settings of Tomczak & Welling).

Data are read from $VAE_DATA_DIR, else ./data (see data/README.md). Unless a virtual environment is active, .venv is
created and used. Runs are saved in runs/, combined reports in reports/. Repeat a command to resume an interrupted run.
EOF
}

target=${1:-}
case $target in
    "" | -h | --help | help) usage; exit 0 ;;
    digits | tests | docs | cifar10 | celeba) ;;
    static_mnist | fashion_mnist | frey_faces | caltech101 | vampprior_k) ;;
    variance | policies | baselines | tables | renormalization | figures) ;;
    balancingvae-?* | vampprior-?*) ;;
    *) echo "unknown target: $target" >&2; usage >&2; exit 2 ;;
esac
shift

if [ -n "${VAE_DATA_DIR:-}" ] && [ -d "$VAE_DATA_DIR" ]; then
    VAE_DATA_DIR=$(cd "$VAE_DATA_DIR" && pwd)
    export VAE_DATA_DIR
fi
cd "$(dirname "${BASH_SOURCE[0]}")"

python_for_venv() {
    local name
    for name in python3 python3.13 python3.12 python3.11 python3.10; do
        if "$name" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "error: Python 3.10 to 3.13 not found. Install it, or activate a virtual environment that has it." >&2
    exit 1
}

set_up() { # set_up EXTRAS: install once per environment, and again only if setup.py or the extras change
    local extras=$1 venv=${VIRTUAL_ENV:-$PWD/.venv} marker wanted
    if [ ! -x "$venv/bin/python" ]; then
        echo "creating the virtual environment .venv" >&2
        "$(python_for_venv)" -m venv "$venv"
        # The pip of Python 3.10 searches for versions for minutes; a newer one needs seconds.
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip || true
    fi
    python=$venv/bin/python
    marker=$venv/.reproduce-installed$extras
    wanted=$("$python" -c 'import hashlib, os; print(hashlib.sha256(open("setup.py", "rb").read()).hexdigest(), os.getcwd())')
    if [ "$(cat "$marker" 2>/dev/null)" != "$wanted" ]; then
        echo "installing the packages and their dependencies (once, a minute or two)" >&2
        "$python" -m pip install --quiet --disable-pip-version-check --editable ".$extras"
        echo "$wanted" >"$marker"
    fi
}

case $target in
    tests)
        set_up "[dev]"
        "$python" -m ruff check .
        "$python" -m ruff format --check .
        exec "$python" -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal "$@"
        ;;
    docs) set_up "[dev]"; NO_MKDOCS_2_WARNING=1 exec "$python" -m mkdocs build --strict "$@" ;;
    digits)
        set_up ""
        "$python" -m balancingvae digits --no-fid --report reports/digits/balancingvae "$@"
        "$python" -m vampprior digits --report reports/digits/vampprior "$@"
        exec "$python" -m vaekit.reports reports/digits "Handwritten digits" reports/digits/balancingvae reports/digits/vampprior
        ;;
    cifar10 | celeba) set_up ""; exec "$python" -m balancingvae "$target" "$@" ;;
    static_mnist | fashion_mnist | frey_faces) set_up ""; exec "$python" -m vampprior "$target" "$@" ;;
    caltech101) set_up ""; exec "$python" -m vampprior caltech101_silhouettes "$@" ;;
    vampprior_k) set_up ""; exec "$python" -m vampprior k "$@" ;;
    variance | policies | baselines | tables | renormalization | figures)
        set_up ""
        exec "$python" -m balancingvae "$target" "$@"
        ;;
    balancingvae-*) set_up ""; exec "$python" -m balancingvae "${target#balancingvae-}" "$@" ;;
    vampprior-*) set_up ""; exec "$python" -m vampprior "${target#vampprior-}" "$@" ;;
esac
