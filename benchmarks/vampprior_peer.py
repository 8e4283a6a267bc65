"""pythae's VAMP with a network of our size, controlled by standard input; it has its own Python.

Every line on standard input is a JSON request; every answer is one JSON line on standard output.
"""

import contextlib
import json
import resource
import statistics
import sys
import time

import torch
from pythae.models import VAMP, VAMPConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from torch import nn

PIXELS, HIDDEN, LATENTS, BATCH = 784, 300, 40, 100


class Gated(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.h, self.g = nn.Linear(inputs, outputs), nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.h(x) * torch.sigmoid(self.g(x))


class Encoder(BaseEncoder):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(Gated(PIXELS, HIDDEN), Gated(HIDDEN, HIDDEN))
        self.mean, self.log_var = nn.Linear(HIDDEN, LATENTS), nn.Linear(HIDDEN, LATENTS)

    def forward(self, x):
        h = self.layers(x.reshape(-1, PIXELS))
        log_var = nn.functional.hardtanh(self.log_var(h), -6.0, 2.0)
        return ModelOutput(embedding=self.mean(h), log_covariance=log_var)


class Decoder(BaseDecoder):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(Gated(LATENTS, HIDDEN), Gated(HIDDEN, HIDDEN))
        self.logits = nn.Linear(HIDDEN, PIXELS)

    def forward(self, z):
        return ModelOutput(reconstruction=torch.sigmoid(self.logits(self.layers(z))))


def build(components):
    torch.manual_seed(0)
    config = VAMPConfig(
        input_dim=(PIXELS,),
        latent_dim=LATENTS,
        reconstruction_loss="bce",
        number_components=components,
        linear_scheduling_steps=100,
    )
    return VAMP(config, encoder=Encoder(), decoder=Decoder())


def steps(model, count):
    """Seconds per training step as in pythae's trainer, without a loader.

    Returns:
        [wall (median of `count` steps), processor (mean)].
    """
    x = (torch.rand(BATCH, PIXELS) < 0.13).float()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)
    seconds = []
    model.train()
    for index in range(count + 3):
        if index == 3:
            processor = time.process_time()
        began = time.perf_counter()
        optimizer.zero_grad()
        model({"data": x}, epoch=1).loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - began)
    return [statistics.median(seconds[3:]), (time.process_time() - processor) / count]


def likelihood(model, images, samples):
    """Seconds per image of `get_nll`: [wall, processor]."""
    x = (torch.rand(images, PIXELS) < 0.13).float()
    model.eval()
    began, processor = time.perf_counter(), time.process_time()
    with torch.no_grad(), contextlib.redirect_stdout(sys.stderr):
        model.get_nll(x, n_samples=samples, batch_size=BATCH)
    seconds = time.perf_counter() - began, time.process_time() - processor
    return [each / images for each in seconds]


def product_rate(size=1000):
    """Highest rate of float32 matrix products, GFLOP/s."""
    a = torch.rand(size, size)
    seconds = []
    for _ in range(8):
        began = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / min(seconds) / 1e9


def main():
    models = {}
    for line in sys.stdin:
        request = json.loads(line)
        components = request.get("components", 500)
        model = models.setdefault(components, build(components))
        if request["do"] == "steps":
            answer = steps(model, request["count"])
        elif request["do"] == "likelihood":
            answer = likelihood(model, request["images"], request["samples"])
        elif request["do"] == "parameters":
            answer = sum(p.numel() for p in model.parameters())
        elif request["do"] == "product_rate":
            answer = product_rate()
        else:
            answer = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # MiB
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(len(__import__("os").sched_getaffinity(0)))
    main()
