"""One VampPrior training step, ours against pythae 0.1.2 in turn, on the same cores.

Batch 100, gated 784-300-300-40, Bernoulli. Ours is measured through `fit` with its batches and
metrics; pythae without its loader. Rounds alternate, so that both see the same machine.

    python benchmarks/vampprior_step.py [--peer-python PYTHON]
"""

import time

import numpy as np
import vampprior_common as common

from vaekit.batches import shuffled_batches
from vampprior import train

BATCH = 100


class Ours:
    def __init__(self, components, steps):
        images = common.binary_images(steps * BATCH)
        data = train.Data(images, images[:0], images[:0])
        self.model = train.build(common.configuration(components), data)
        self.batches, self.steps = shuffled_batches((images,), BATCH, seed=0)

    def milliseconds(self):
        began = time.perf_counter()
        self.model.fit(self.batches, steps_per_epoch=self.steps, epochs=1, verbose=0)
        return (time.perf_counter() - began) / self.steps * 1e3


def main():
    options = common.arguments(__doc__, rounds=5, steps=40, most=1500)
    common.heading()
    peer = None if options.no_peer else common.Peer(options)
    rows = []
    for components in (k for k in (500, 1000, 1500) if k <= options.most):
        ours = Ours(components, options.steps)
        ours.milliseconds()  # compiles
        measured = {"ours": [], "pythae": []}
        for _ in range(options.rounds):
            measured["ours"].append(ours.milliseconds())
            if peer:
                time.sleep(0.2)
                seconds = peer.ask(
                    "steps", components=components, count=max(10, options.steps // 4)
                )
                measured["pythae"].append(float(np.median(seconds)) * 1e3)
        rows.append((components, {who: np.array(ms) for who, ms in measured.items() if ms}))
    rate = common.product_rate()
    print("\n| K | ours, ms (best) | pythae, ms (best) | times faster (best) | GFLOP | of rate |")
    print("|---|---|---|---|---|---|")
    for components, ms in rows:
        gflop = common.step_flops(components=components) / 1e9
        ours = ms["ours"]
        share = gflop / (np.median(ours) / 1e3) / rate
        cells = [str(components), f"{np.median(ours):.1f} ({ours.min():.1f})"]
        if peer:
            theirs = ms["pythae"]
            cells.append(f"{np.median(theirs):.1f} ({theirs.min():.1f})")
            ratio, best = np.median(theirs) / np.median(ours), theirs.min() / ours.min()
            cells.append(f"{ratio:.2f} ({best:.2f})")
        else:
            cells += ["", ""]
        print("| " + " | ".join([*cells, f"{gflop:.2f}", f"{share:.0%}"]) + " |")
    grow = np.median(rows[-1][1]["ours"]) / np.median(rows[0][1]["ours"])
    print(f"\nK = {rows[-1][0]} takes {grow:.2f} times the step of K = 500.")
    print(f"Matrix products (1000 x 1000, float32): {rate:.0f} GFLOP/s in our backend", end="")
    print(f", {peer.ask('product_rate'):.0f} in pythae's." if peer else ".")
    print(f"Peak memory: ours {common.peak_memory():.0f} MiB", end="")
    print(f", pythae {peer.ask('memory'):.0f} MiB." if peer else ".")
    if peer:
        peer.close()


if __name__ == "__main__":
    main()
