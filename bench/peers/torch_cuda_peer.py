"""PyTorch on CUDA beside WebGPU on the same GPU: a training step whose loss is read, and products in a chain, all in f32 (no TF32)."""

import torch

import torch_peer
from shared import Work


class Peer:
    def __init__(self, threads):
        if not torch.cuda.is_available():
            raise RuntimeError("PyTorch finds no CUDA device")
        torch.set_default_device("cuda")
        torch.set_float32_matmul_precision("highest")
        torch.manual_seed(0)

    def prepare(self, request):
        width = request["width"]
        sizes = (3, width, width, width, width, 2)
        return Training(request["size"], True, sizes) if request["kind"] == "training" else Product(width)


class Training(torch_peer.Training):
    """The step of the peer on processors, whose loss is read after each."""

    def run(self, operations):
        for _ in range(operations):
            loss = self.loss()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.last = float(loss)


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
