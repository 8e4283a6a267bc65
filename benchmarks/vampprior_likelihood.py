"""log p(x) with S = 5000 importance samples per image, ours against pythae 0.1.2's get_nll.

VampPrior with K = 500, gated 784-300-300-40, Bernoulli.

    python benchmarks/vampprior_likelihood.py [--peer-python PYTHON]
"""

import vampprior_common as common

from vampprior import VAE
from vampprior.scoring import DEFAULT_MEMORY_MIB


def main():
    options = common.arguments(
        __doc__, rounds=5, images=20, peer_images=2, samples=5000, memory_mib=DEFAULT_MEMORY_MIB
    )
    common.heading()
    peer = None if options.no_peer else common.Peer(options)
    model = VAE.from_preset(common.PRESET, weights=False)
    images = common.binary_images(options.images)

    def evaluation():
        model.log_likelihood(images, options.samples, seed=0, memory_mib=options.memory_mib)

    before = common.peak_memory()
    evaluation()  # compiles
    ours, theirs = common.Measured(), common.Measured()
    for _ in range(options.rounds):
        ours.add(common.timed(evaluation), per=len(images))
        if peer:
            theirs.add(peer.ask("likelihood", images=options.peer_images, samples=options.samples))
    rate, gflop = common.product_rate(), common.likelihood_flops(options.samples) / 1e9
    share = gflop / (ours.best / 1e3) / rate
    print(f"\nS = {options.samples}, milliseconds per image:")
    print("\n| | wall: median (best) | processor |\n|---|---|---|")
    print(f"| ours | {ours} |")
    if peer:
        ratios = common.times_faster(ours, theirs)
        print(f"| pythae | {theirs} |\n| times faster | {ratios[0]:.1f} | {ratios[1]:.1f} |")
    print(f"\nOurs: {gflop:.2f} GFLOP of matrix products per image,", end=" ")
    print(f"{share:.0%} of the measured {rate:.0f} GFLOP/s at best.")
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
