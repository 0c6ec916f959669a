"""Train a sharded state; as asked, process 1 kills itself in an epoch.

Arguments: checkpoint, and the epoch to die in, or nothing. Process 0 prints its losses,
parameters and the value and gradient at the start as a JSON object.
"""

import json
import os
import pathlib
import signal
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax

from qjax import optim, parallel
from qjax.circuits import hardware_efficient, ising

N = 4
START = np.random.default_rng(0).normal(size=(2, N, 2)).astype(np.float32)


def main() -> None:
    process = parallel.join_cluster(timeout=120, heartbeat=10)
    mesh = parallel.device_mesh()

    def loss(angles, batch):
        zeros = parallel.ShardedState.zeros(N, mesh)
        final = parallel.run(hardware_efficient(angles), zeros)
        return jnp.mean(batch) * parallel.expectation(final, ising(N))

    fatal = int(sys.argv[2]) if len(sys.argv) > 2 else None
    done = 0

    def evaluate(angles) -> float:
        nonlocal done
        done += 1
        if done == fatal and process == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0.0

    angles, history = optim.fit(
        jax.random.key(1),
        loss,
        START,
        optax.adam(0.1),
        np.ones(2, np.float32),
        epochs=8,
        batch_size=2,
        evaluate=evaluate,
        checkpoint=pathlib.Path(sys.argv[1]),
    )
    value, slope = jax.jit(jax.value_and_grad(loss))(START, np.ones(2, np.float32))
    found = {
        "devices": jax.device_count(),
        "epochs": done,
        "bytes": np.asarray(angles).tobytes().hex(),
        "losses": history.losses.reshape(-1).tolist(),
        "value": float(value),
        "slope": np.asarray(slope).reshape(-1).tolist(),
    }
    if process == 0:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
