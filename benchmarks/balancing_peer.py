"""The two-stage VAE's ResNet in PyTorch, one training step per input line; see balancing_step.py.

Run it with a Python that has torch. Layers, loss and Adam are those of `balancingvae`'s first stage
for the cifar10 preset, and batch norm has epsilon 1e-5. Arguments: number of threads, then
"float32" or "bfloat16" (mixed by autocast, channels last).
"""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional

BATCH, LATENTS = 100, 64


class Block(nn.Module):
    """Twice [batch norm, ReLU, convolution], plus a convolution of the raw input."""

    def __init__(self, dim):
        super().__init__()
        convolution = lambda: nn.Conv2d(dim, dim, 3, padding=1)  # noqa: E731
        self.shortcut = convolution()
        self.rest = nn.Sequential(
            nn.BatchNorm2d(dim), nn.ReLU(), convolution(),
            nn.BatchNorm2d(dim), nn.ReLU(), convolution(),
        )  # fmt: skip

    def forward(self, x):
        return self.rest(x) + self.shortcut(x)


class DenseBlock(nn.Module):
    def __init__(self, inputs, dim):
        super().__init__()
        self.one, self.two = nn.Linear(inputs, dim), nn.Linear(dim, dim)
        self.shortcut = nn.Linear(inputs, dim)

    def forward(self, x):
        y = self.two(functional.relu(self.one(functional.relu(x))))
        return y + self.shortcut(x)


class ResNet(nn.Module):
    """Encoder of 3 scales from 32 channels, decoder of 4 doublings from 2 x 2 x 512."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), Block(32),
            nn.Conv2d(32, 64, 3, 2, 1), Block(64),
            nn.Conv2d(64, 128, 3, 2, 1), Block(128),
        )  # fmt: skip
        self.dense = DenseBlock(128, 512)
        self.heads = nn.Linear(512, 2 * LATENTS)
        self.start = nn.Linear(LATENTS, 4 * 512)
        layers = []
        for above, dim in ((512, 256), (256, 128), (128, 64), (64, 32)):
            layers += [nn.ConvTranspose2d(above, dim, 3, 2, 1, 1), Block(dim)]
        self.decoder = nn.Sequential(*layers, nn.Conv2d(32, 3, 3, padding=1))

    def forward(self, x, gamma):
        pooled = self.encoder(x).mean((2, 3))
        mean, log_std = self.heads(self.dense(pooled)).float().chunk(2, 1)
        z = mean + log_std.exp() * torch.randn_like(mean)
        lowest = self.start(z).view(-1, 512, 2, 2)
        x_hat = torch.sigmoid(self.decoder(lowest).float())
        squared = (x - x_hat).square().sum((1, 2, 3))
        kl = 0.5 * (mean**2 + (2 * log_std).exp() - 2 * log_std - 1).sum(1)
        count = x[0].numel()
        generation = squared / (2 * gamma**2) + count * gamma.log()
        return (generation + kl).mean(), squared.mean() / count


def main():
    torch.set_num_threads(int(sys.argv[1]))
    mixed = sys.argv[2] == "bfloat16"
    model = ResNet()
    images = torch.randint(0, 256, (BATCH, 3, 32, 32), dtype=torch.uint8)
    if mixed:
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), 1e-4)
    error = torch.ones(())
    for _ in sys.stdin:
        began = time.perf_counter(), time.process_time()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss, mse = model(images.float() / 255, error.sqrt())
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            error = torch.minimum(error, 0.99 * error + 0.01 * mse)
        seconds = time.perf_counter() - began[0], time.process_time() - began[1]
        parameters = sum(p.numel() for p in model.parameters())
        print(json.dumps({"wall": seconds[0], "cpu": seconds[1], "parameters": parameters}))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
