"""PyTorch on CUDA beside WebGPU on the same GPU: a training step whose loss is read, and products in a chain, all in f32 (no TF32)."""

import torch

from shared import SIGMA_MIN, Work
from torch_peer import checkerboard


class Peer:
    def __init__(self, threads):
        if not torch.cuda.is_available():
            raise RuntimeError("PyTorch finds no CUDA device")
        torch.set_default_device("cuda")
        torch.set_float32_matmul_precision("highest")
        torch.manual_seed(0)

    def prepare(self, request):
        width = request["width"]
        return Training(request["size"], width) if request["kind"] == "training" else Product(width)


class Training(Work):
    def __init__(self, size, width):
        sizes = (3, width, width, width, width, 2)
        layers = [layer for pair in zip(sizes, sizes[1:]) for layer in (torch.nn.Linear(*pair), torch.nn.SiLU())]
        net = torch.nn.Sequential(*layers[:-1])
        self.optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)

        def loss():
            x1, noise, t = checkerboard(size), torch.randn(size, 2), torch.rand(size, 1)
            std = 1 - (1 - SIGMA_MIN) * t
            velocity = x1 - (1 - SIGMA_MIN) * noise
            return ((net(torch.cat([std * noise + t * x1, t], 1)) - velocity) ** 2).mean()

        self.loss = torch.compile(loss, dynamic=False)

    def run(self, operations):
        for _ in range(operations):
            loss = self.loss()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.last = float(loss)

    def check(self):
        return self.last


class Product(Work):
    def __init__(self, width):
        self.x = torch.randn(width, width)
        self.w = torch.randn(width, width) / width**0.5

    def run(self, operations):
        y = self.x
        for _ in range(operations):
            y = y @ self.w
        self.last = float(y[0, 0])

    def check(self):
        return self.last
