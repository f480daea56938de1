"""PyTorch with torchdiffeq and flow_matching, eager and by torch.compile."""

import math

import torch
from flow_matching.solver import ODESolver
from flow_matching.utils import ModelWrapper
from torchdiffeq import odeint

from shared import SIGMA_MIN, SIZES, TOLERANCE, Work


class Peer:
    def __init__(self, threads):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        import torch._inductor.config as inductor

        # Weights are constants of a solve: they are packed once for oneDNN. Training is not affected.
        inductor.freezing = True

    def training(self, _, size, compiled):
        return Training(size, compiled)

    def sampling(self, parameters, source, compiled):
        return Sampling(frozen_network(parameters), torch.from_numpy(source), compiled)

    def likelihood(self, parameters, points, compiled):
        return Likelihood(frozen_network(parameters), torch.from_numpy(points), compiled)


def network(sizes=SIZES):
    pairs = list(zip(sizes, sizes[1:]))
    layers = [layer for pair in pairs for layer in (torch.nn.Linear(*pair), torch.nn.SiLU())]
    return torch.nn.Sequential(*layers[:-1])


def frozen_network(parameters):
    net = network()
    linear = [layer for layer in net if isinstance(layer, torch.nn.Linear)]
    for layer, (weight, bias) in zip(linear, parameters):
        layer.weight.data = torch.from_numpy(weight.T.copy())
        layer.bias.data = torch.from_numpy(bias)
    return net.requires_grad_(False).eval()


def checkerboard(size):
    x = torch.rand(size) * 4
    y = torch.rand(size) * 2
    row = 2 * torch.floor(y) + torch.floor(x) % 2
    return torch.stack([2 * x - 4, 2 * (row + y % 1) - 4], 1)


class Training(Work):
    def __init__(self, size, compiled, sizes=SIZES):
        net = network(sizes)
        self.optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)

        def loss():
            x1, noise, t = checkerboard(size), torch.randn(size, 2), torch.rand(size, 1)
            std = 1 - (1 - SIGMA_MIN) * t
            velocity = x1 - (1 - SIGMA_MIN) * noise
            return ((net(torch.cat([std * noise + t * x1, t], 1)) - velocity) ** 2).mean()

        self.loss = torch.compile(loss, dynamic=False) if compiled else loss

    def run(self, operations):
        total = 0.0
        for _ in range(operations):
            loss = self.loss()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.detach()
        self.last = float(total) / operations

    def check(self):
        return self.last


class Field(ModelWrapper):
    """The network at a point and a time, counting its evaluations."""

    def __init__(self, net, compiled):
        def apply(x, t):
            return net(torch.cat([x, t.expand(x.shape[0], 1)], 1))

        super().__init__(net)
        self.apply_net = torch.compile(apply, dynamic=False) if compiled else apply
        self.count = 0

    def forward(self, x, t, **_):
        self.count += 1
        return self.apply_net(x, t)


class Solve(Work):
    def __init__(self, net, start, compiled):
        self.field, self.start = Field(net, compiled), start

    def run(self, operations):
        for _ in range(operations):
            self.field.count = 0
            self.solve()

    def evaluations(self):
        return self.field.count


class Sampling(Solve):
    def solve(self):
        with torch.inference_mode():
            times = torch.tensor([0.0, 1.0])
            field = self.field
            self.samples = odeint(lambda t, x: field(x, t), self.start, times, rtol=TOLERANCE, atol=TOLERANCE, method="dopri5")[-1]

    def check(self):
        return (self.samples**2).mean()


class Likelihood(Solve):
    def solve(self):
        solver = ODESolver(self.field)
        prior = lambda x: -(x**2).sum(1) / 2 - math.log(2 * math.pi)  # noqa: E731
        _, self.log_p = solver.compute_likelihood(
            self.start, prior, step_size=None, method="dopri5", rtol=TOLERANCE, atol=TOLERANCE, exact_divergence=False
        )

    def check(self):
        return self.log_p.mean()
