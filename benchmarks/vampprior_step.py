"""One VampPrior training step, ours against pythae 0.1.2 in turn, on the same cores.

The batch size is 100, the network gated 784-300-300-40, the likelihood Bernoulli. We measure our
step through Keras' `fit`, with batches and metrics as in a run, and pythae's without its loader.
Rounds alternate, so that both have the same conditions, and ratios are those of neighbouring
rounds. Compare processor times if other programs share the cores.

    python benchmarks/vampprior_step.py [--peer-python PYTHON]
"""

import vampprior_common as common

from vaekit.training.batches import shuffled_batches
from vampprior import train

BATCH = 100


class Ours:
    def __init__(self, components, steps):
        images = common.binary_images(steps * BATCH)
        data = train.Data(images, images[:0], images[:0])
        self.model = train.build(common.configuration(components), data)
        self.batches, self.steps = shuffled_batches((images,), BATCH, seed=0)

    def seconds(self):
        import keras  # after our packages, which set TensorFlow's options

        return common.timed(
            lambda: keras.Model.fit(
                self.model, self.batches, steps_per_epoch=self.steps, verbose=0, shuffle=False
            )
        )


def main():
    options = common.arguments(__doc__, rounds=5, steps=40, most=1500)
    common.heading()
    peer = None if options.no_peer else common.Peer(options)
    rows, memory = [], {}
    for components in (k for k in (500, 1000, 1500) if k <= options.most):
        ours, model = common.Measured(), Ours(components, options.steps)
        theirs = common.Measured()
        model.seconds()  # compiles
        for _ in range(options.rounds):
            ours.add(model.seconds(), per=options.steps)
            if peer:
                count = max(10, options.steps // 4)
                theirs.add(peer.ask("steps", components=components, count=count))
        memory[components] = common.peak_memory(), peer.ask("memory") if peer else None
        rows.append((components, ours, theirs))
    rate = common.product_rate()
    print(
        "\nMilliseconds per step, wall: median (best), and processor time of both cores' threads:"
    )
    print(
        "\n| K | ours, wall | processor | pythae, wall | processor | times faster, wall |", end=""
    )
    print(" processor | GFLOP | share of the product rate |")
    print("|" + "---|" * 9)
    for components, ours, theirs in rows:
        gflop = common.step_flops(components=components) / 1e9
        if peer:
            ratios = common.times_faster(ours, theirs)
            compared = f"{theirs} | {ratios[0]:.2f} | {ratios[1]:.2f}"
        else:
            compared = " | | | "
        share = gflop / (ours.best / 1e3) / rate
        print(f"| {components} | {ours} | {compared} | {gflop:.2f} | {share:.0%} |")
    (first, ours, _), (last, most, _) = rows[0], rows[-1]
    print(f"\nK = {last} takes {most.wall / ours.wall:.2f} times the step of K = {first}", end="")
    print(f" ({most.processor / ours.processor:.2f} in processor time).")
    print(f"Matrix products (1000 x 1000, float32): {rate:.0f} GFLOP/s in our backend", end="")
    print(f", {peer.ask('product_rate'):.0f} in pythae's." if peer else ".")
    for components, (mine, other) in memory.items():
        print(f"Peak memory up to K = {components}: ours {mine:.0f} MiB", end="")
        print(f", pythae {other:.0f} MiB." if peer else ".")
    if peer:
        peer.close()


if __name__ == "__main__":
    main()
