"""log p(x) with S = 5000 importance samples per image, ours against pythae 0.1.2's get_nll.

VampPrior with K = 500, gated 784-300-300-40, Bernoulli.

    python benchmarks/vampprior_likelihood.py [--peer-python PYTHON]
"""

import time

import numpy as np
import vampprior_common as common

from vampprior.model import DEFAULT_MEMORY_MIB, VAE


def main():
    options = common.arguments(
        __doc__, rounds=5, images=20, samples=5000, memory_mib=DEFAULT_MEMORY_MIB
    )
    common.heading()
    peer = None if options.no_peer else common.Peer(options)
    model, images = VAE(common.configuration()), common.binary_images(options.images)

    def ours():
        began = time.perf_counter()
        model.log_likelihood(images, options.samples, seed=0, memory_mib=options.memory_mib)
        return (time.perf_counter() - began) / len(images) * 1e3

    before = common.peak_memory()
    ours()  # compiles
    measured, theirs = [], []
    for _ in range(options.rounds):
        measured.append(ours())
        if peer:
            time.sleep(0.2)
            theirs.append(peer.ask("likelihood", images=2, samples=options.samples) * 1e3)
    rate, gflop = common.product_rate(), common.likelihood_flops(options.samples) / 1e9
    median = float(np.median(measured))
    print(f"\nS = {options.samples}, milliseconds per image, median (best):")
    print(
        f"ours   {median:.1f} ({min(measured):.1f}), {gflop:.2f} GFLOP of matrix products,", end=" "
    )
    print(f"{gflop / (median / 1e3) / rate:.0%} of the measured {rate:.0f} GFLOP/s")
    if peer:
        print(f"pythae {np.median(theirs):.1f} ({min(theirs):.1f})")
        ratio, best = np.median(theirs) / median, min(theirs) / min(measured)
        print(f"times faster: {ratio:.1f} ({best:.1f})")
    grown = common.peak_memory() - before
    print(
        f"Peak memory: ours {common.peak_memory():.0f} MiB, of which {grown:.0f} for the", end=" "
    )
    print(f"evaluation (compiler included; activations' budget {options.memory_mib} MiB)")
    if peer:
        print(f"pythae's {peer.ask('memory'):.0f} MiB")
        peer.close()


if __name__ == "__main__":
    main()
