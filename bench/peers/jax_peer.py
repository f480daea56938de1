"""JAX with diffrax and optax: every work is one jitted function."""

from functools import partial

import diffrax
import jax
import jax.numpy as jnp
import optax

from shared import SIGMA_MIN, SIZES, TOLERANCE, Work


class Peer:
    def __init__(self, threads):
        # XLA's pool takes its size from NPROC, which is set before Python starts.
        pass

    def training(self, _, size, compiled):
        return Training(size)

    def sampling(self, parameters, source, compiled):
        return Sampling(parameters, source)

    def likelihood(self, parameters, points, compiled):
        return Likelihood(parameters, points)


def network(parameters, x, t):
    hidden = jnp.concatenate([x, jnp.broadcast_to(t, (x.shape[0], 1))], 1)
    for i, (weight, bias) in enumerate(parameters):
        hidden = (hidden if i == 0 else jax.nn.silu(hidden)) @ weight + bias
    return hidden


def initial_parameters(key):
    layers = []
    for inputs, outputs in zip(SIZES, SIZES[1:]):
        key, weight, bias = jax.random.split(key, 3)
        bound = inputs**-0.5
        layers.append(
            (
                jax.random.uniform(weight, (inputs, outputs), minval=-bound, maxval=bound),
                jax.random.uniform(bias, (outputs,), minval=-bound, maxval=bound),
            )
        )
    return layers


def checkerboard(key, size):
    x, y = jax.random.uniform(key, (2, size))
    x, y = x * 4, y * 2
    row = 2 * jnp.floor(y) + jnp.floor(x) % 2
    return jnp.stack([2 * x - 4, 2 * (row + y % 1) - 4], 1)


class Training(Work):
    def __init__(self, size):
        optimizer = optax.adam(1e-3)

        def loss_of(parameters, key):
            data, noise, time = jax.random.split(key, 3)
            x1, noise, t = checkerboard(data, size), jax.random.normal(noise, (size, 2)), jax.random.uniform(time, (size, 1))
            std = 1 - (1 - SIGMA_MIN) * t
            velocity = x1 - (1 - SIGMA_MIN) * noise
            return ((network(parameters, std * noise + t * x1, t) - velocity) ** 2).mean()

        @partial(jax.jit, donate_argnums=0)
        def step(carried):
            parameters, state, key, total = carried
            key, drawn = jax.random.split(key)
            loss, gradients = jax.value_and_grad(loss_of)(parameters, drawn)
            updates, state = optimizer.update(gradients, state)
            return optax.apply_updates(parameters, updates), state, key, total + loss

        self.step = step
        parameters = initial_parameters(jax.random.key(0))
        self.carried = (parameters, optimizer.init(parameters), jax.random.key(1), jnp.zeros(()))

    def run(self, operations):
        parameters, state, key, _ = self.carried
        self.carried = (parameters, state, key, jnp.zeros(()))
        for _ in range(operations):
            self.carried = self.step(self.carried)
        jax.block_until_ready(self.carried)
        self.last = float(self.carried[-1]) / operations

    def check(self):
        return self.last


class Solve(Work):
    def __init__(self, parameters, start):
        self.parameters = jax.tree.map(jnp.asarray, parameters)
        self.start = jnp.asarray(start)
        self.solve = jax.jit(self.formula)

    def run(self, operations):
        for _ in range(operations):
            self.result = jax.block_until_ready(self.solve(self.parameters, self.start))

    def evaluations(self):
        """Counted by a call back to Python, in a solve of its own."""
        count = 0

        def counted():
            nonlocal count
            count += 1

        self.counted = lambda: jax.debug.callback(counted)
        # A function of its own: jit would find the one that does not count.
        jax.block_until_ready(jax.jit(lambda *given: self.formula(*given))(self.parameters, self.start))
        jax.effects_barrier()
        self.counted = lambda: None
        return count

    def counted(self):
        pass


def integrate(field, start, end, y):
    return diffrax.diffeqsolve(
        diffrax.ODETerm(field),
        diffrax.Dopri5(),
        start,
        end,
        None,
        y,
        stepsize_controller=diffrax.PIDController(rtol=TOLERANCE, atol=TOLERANCE),
        adjoint=diffrax.ForwardMode(),
        max_steps=10_000,
    )


class Sampling(Solve):
    def formula(self, parameters, source):
        def field(t, x, _):
            self.counted()
            return network(parameters, x, t)

        return integrate(field, 0.0, 1.0, source).ys[-1]

    def check(self):
        return (self.result**2).mean()


class Likelihood(Solve):
    def formula(self, parameters, points):
        probe = jax.random.rademacher(jax.random.key(0), points.shape, jnp.float32)

        def field(t, y, _):
            self.counted()
            x, _ = y
            velocity, tangent = jax.jvp(lambda x: network(parameters, x, t), (x,), (probe,))
            return velocity, -(tangent * probe).sum(1)

        x, change = integrate(field, 1.0, 0.0, (points, jnp.zeros(points.shape[0]))).ys
        prior = -(x[-1] ** 2).sum(1) / 2 - jnp.log(2 * jnp.pi)
        return prior - change[-1]

    def check(self):
        return self.result.mean()
