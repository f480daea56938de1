"""GFLOP/s of [M×512]·[512×512] in the peers' libraries: python bench/peers/products.py [THREADS].

`npm run bench -- --profile` prints ours.
"""

import os
import sys
import time

THREADS = sys.argv[1] if len(sys.argv) > 1 else str(os.cpu_count())
os.environ.update(NPROC=THREADS, OMP_NUM_THREADS=THREADS, MKL_NUM_THREADS=THREADS, JAX_PLATFORMS="cpu")

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import torch  # noqa: E402

WIDTH = 512


def rate(rows, run, runs=60):
    """Of the fastest eighth's slowest run, as a limit is what nothing disturbs."""
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return 2 * rows * WIDTH * WIDTH / sorted(seconds)[runs // 8] / 1e9


torch.set_num_threads(int(THREADS))
product = jax.jit(jnp.matmul)
print(f"{THREADS} threads\n{'M':>5} {'torch':>6} {'jax':>6}  GFLOP/s")
for rows in (256, 512, 4096):
    x, w = torch.randn(rows, WIDTH), torch.randn(WIDTH, WIDTH)
    y = torch.empty(rows, WIDTH)
    jx, jw = jnp.asarray(x.numpy()), jnp.asarray(w.numpy())
    in_torch = rate(rows, lambda: torch.mm(x, w, out=y))
    in_jax = rate(rows, lambda: product(jx, jw).block_until_ready())
    print(f"{rows:>5} {in_torch:>6.0f} {in_jax:>6.0f}")
