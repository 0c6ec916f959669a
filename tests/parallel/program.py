"""Checks on eight simulated devices, in one process: prints a JSON object of numbers.

Run as a program, since the number of devices is set before JAX starts; its arguments
name the sections to run.
"""

import json
import re
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from qjax import noise, parallel, simulate
from qjax.circuits import (
    Circuit,
    Projector,
    ccx,
    controlled,
    crz,
    cswap,
    cx,
    h,
    hardware_efficient,
    heisenberg,
    ising,
    pauli,
    pauli_rotation,
    phase,
    rx,
    ry,
    rz,
    rzz,
    swap,
    unitary,
)
from qjax.states import StateVector
from tests import oracles, strategies

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

N = 6
ANGLES = np.random.default_rng(1).normal(size=(5, N, 2))
COLLECTIVES = ("all-gather", "all-to-all", "collective-permute", "reduce-scatter")


def collectives(text: str | None) -> dict[str, int]:
    """Count the collective operations of a compiled program."""
    assert text is not None
    return {
        name: len(re.findall(rf"= \S+ {name}(?:-start)?\(", text))
        for name in COLLECTIVES
    }


def odd_gates(angle: Any) -> Circuit:
    """Every way in which outer wires can take part in an operation."""
    matrix = oracles.exponential(
        np.kron(oracles.X, oracles.Y) + np.diag([1.0, 2, 3, 4]), 0.3
    )
    operations = [
        h(0), h(1), h(2), h(4),
        controlled(rx(angle, 5), (0, 1, 3), (1, 0, 1)),
        controlled(phase(angle, 0), (1, 2)),
        controlled(phase(angle, 1), (4,), (0,)),
        controlled(phase(angle, 0), (3, 4), (1, 0)),
        ccx(0, 1, 5), rzz(angle, 0, 1), rzz(angle, 0, 4), swap(0, 5), rz(angle, 2),
        cswap(0, 1, 4), crz(angle, 4, 0), pauli_rotation(angle, "XYZ", (0, 3, 1)),
        unitary(matrix, (2, 5)),
    ]  # fmt: skip
    return Circuit(operations, N)


def whole(angles: Any) -> Circuit:
    return hardware_efficient(angles) + odd_gates(angles[0, 0, 0])


def observable():
    far = (
        pauli("YZX", (0, 3, 5))
        + pauli("YY", (0, 1))
        + pauli("Y", 1)
        + pauli("XYX", (1, 2, 4))
    )
    return heisenberg(N) + 0.3 * far


def energy(angles: Any, scale: Any, mesh: Mesh | None, layers: int = 1) -> Any:
    circuit, sum_ = whole(angles), scale * observable()
    dtype = np.result_type(jnp.asarray(angles).dtype, np.complex64)
    if mesh is None:
        final = simulate.run(circuit, StateVector.zeros(N, dtype), method="gates")
        return simulate.expectation(final, sum_)
    state = parallel.ShardedState.zeros(N, mesh, dtype)
    return parallel.expectation(parallel.run(circuit, state, layers=layers), sum_)


def difference(left: Any, right: Any) -> float:
    gaps = jax.tree.map(lambda a, b: float(jnp.max(jnp.abs(a - b))), left, right)
    return max(jax.tree.leaves(gaps))


def unsharded(dtype: Any, meshes: Any) -> dict[str, Any]:
    """Value and gradient, in angles and coefficients, against one device.

    Args:
        dtype: Of the angles.
        meshes: Numbers of devices, with the layers planned together.
    """
    angles, scale = ANGLES.astype(dtype), np.asarray(0.7, dtype)
    slopes = jax.value_and_grad(energy, argnums=(0, 1))
    expected = jax.jit(lambda a, s: slopes(a, s, None))(angles, scale)
    found = {}
    for devices, layers in meshes:
        mesh = parallel.device_mesh(devices)
        got = jax.jit(lambda a, s, m=mesh, k=layers: slopes(a, s, m, k))(angles, scale)
        found[f"{devices} {layers}"] = difference(expected, got)
    return found


def states() -> dict[str, Any]:
    """Final states against plain NumPy, shard by shard and scattered."""
    mesh = parallel.device_mesh(8)
    vector = np.random.default_rng(2).normal(size=(2, 2**N))
    vector = (vector[0] + 1j * vector[1]) / np.linalg.norm(vector)
    given = StateVector(jnp.asarray(vector, np.complex64).reshape((2,) * N))
    steps = [
        strategies.Step("gate", "ry", (0,), (0.3,)),
        strategies.Step("gate", "cx", (5, 0)),
        strategies.Step("gate", "iswap", (1, 0)),
        strategies.Step("controlled", "rx", (2, 0, 1), (0.4,), values=(1, 0)),
        strategies.Step("rotation", "YX", (2, 4), (0.9,)),
        strategies.Step("gate", "cswap", (0, 1, 2)),
    ]
    spread = parallel.ShardedState.scatter(given, mesh)
    final = parallel.run(strategies.build(steps, N), spread)
    expected = strategies.oracle_vector(steps, vector)
    return {
        "oracle": float(np.abs(final.gather().vector() - expected).max()),
        "scatter": difference(spread.gather().amplitudes, given.amplitudes),
        "norm": float(final.norm()),
        "shard": list(final.numbers.addressable_shards[0].data.shape),
        "moved": final.order != tuple(range(N)),
    }


def programs() -> dict[str, Any]:
    """Collectives of compiled programs, and their growth with depth."""
    mesh = parallel.device_mesh(8)

    def value(angles: Any) -> Any:
        zeros = parallel.ShardedState.zeros(N, mesh)
        return parallel.expectation(
            parallel.run(hardware_efficient(angles), zeros), ising(N)
        )

    def final(angles: Any) -> Any:
        return parallel.run(
            hardware_efficient(angles), parallel.ShardedState.zeros(N, mesh)
        ).numbers

    found = {}
    slope = jax.value_and_grad(value)
    cases = [("run", final, 3), ("run", final, 12), ("gradient", slope, 3)]
    for name, function, depth in cases:
        angles = np.zeros((depth, N, 2), np.float32)
        text = jax.jit(function).lower(angles).compile().as_text()
        found[f"{name} {depth}"] = {
            **collectives(text),
            "lines": len((text or "").splitlines()),
        }
    zeros = parallel.ShardedState.zeros(N, mesh)
    draw = jax.jit(lambda key, state: parallel.sample(key, state, 8))
    found["sample"] = collectives(
        draw.lower(jax.random.key(1), zeros).compile().as_text()
    )
    gspmd = jax.jit(lambda state: state.gather().amplitudes)
    found["gather"] = collectives(gspmd.lower(zeros).compile().as_text())
    return found


def samples() -> dict[str, Any]:
    """Counts of 2^N outcomes, and the probabilities they were drawn with."""
    mesh, shots = parallel.device_mesh(8), 200_000
    final = parallel.run(
        hardware_efficient(ANGLES.astype(np.float32)),
        parallel.ShardedState.zeros(N, mesh),
    )
    key = jax.random.key(7)
    bits = np.asarray(parallel.sample(key, final, shots))
    index = bits @ (1 << np.arange(N)[::-1])
    some = np.asarray(parallel.sample(key, final, shots, (5, 0)))
    other = parallel.sample(jax.random.key(8), final, 50)
    return {
        "counts": np.bincount(index, minlength=2**N).tolist(),
        "probabilities": np.asarray(final.gather().probabilities())
        .reshape(-1)
        .tolist(),
        "columns": bool((some == bits[:, [5, 0]]).all()),
        "repeats": bool(
            (parallel.sample(key, final, 50) == parallel.sample(key, final, 50)).all()
        ),
        "differs": bool((other != parallel.sample(key, final, 50)).any()),
    }


def trajectories(shots_too: bool = False) -> dict[str, Any]:
    """Noisy averages and their gradients against one device, for the same key."""
    mesh, key, zero = (
        parallel.device_mesh(4, 2),
        jax.random.key(3),
        StateVector.zeros(3),
    )

    def noisy(angle: Any) -> Circuit:
        first = [ry(angle, 0), cx(0, 1), noise.amplitude_damping(0.3, 0)]
        return Circuit([*first, noise.depolarizing(0.2, 1), cx(1, 2)], 3)

    def mean(angle: Any, shots: int | None, spread: bool) -> Any:
        both = [pauli("Z", 0), pauli("ZZ", (1, 2))]
        if spread:
            found = parallel.average_trajectories(
                key, noisy(angle), zero, both, 64, mesh, shots=shots
            )
        else:
            found = simulate.average_trajectories(
                key, noisy(angle), zero, both, 64, shots=shots
            )
        return jnp.sum(found.mean), found

    found = {}
    for shots in (None, 5) if shots_too else (None,):
        slope = jax.value_and_grad(mean, has_aux=True)
        one, many = (slope(np.float32(0.6), shots, spread) for spread in (False, True))
        found[str(shots)] = difference(one, many)
    return found


def batches() -> dict[str, Any]:
    """Batches over all devices, of whole states and of sharded ones."""
    mesh = parallel.device_mesh(2, 4)
    angles = np.random.default_rng(4).normal(size=(8, 2, N, 2)).astype(np.float32)

    def one(own: Any) -> Any:
        final = simulate.run(hardware_efficient(own), StateVector.zeros(N))
        return simulate.expectation(final, ising(N))

    def sharded(own: Any) -> Any:
        zeros = parallel.ShardedState.zeros(N, mesh)
        return parallel.expectation(
            parallel.run(hardware_efficient(own), zeros), ising(N)
        )

    slope = jax.value_and_grad(one)
    expected = jax.jit(jax.vmap(slope))(angles)
    spread = parallel.map_batch(slope, mesh)
    both = jax.jit(jax.vmap(jax.value_and_grad(sharded), spmd_axis_name="data"))
    text = jax.jit(spread).lower(angles).compile().as_text()
    return {
        "map_batch": difference(expected, spread(angles)),
        "batch of sharded states": difference(expected, both(angles)),
        "collectives": sum(collectives(text).values()),
    }


def refusals() -> dict[str, str]:
    mesh = parallel.device_mesh(8)
    three = Mesh(np.asarray(jax.devices()[:3]).reshape(1, 3), ("data", "state"))
    zeros = parallel.ShardedState.zeros(N, mesh)
    projector: Any = Projector((0,), (1,))
    noisy = Circuit([noise.depolarizing(0.1, 0)], N)
    wide = Circuit([pauli_rotation(0.1, "XXXX", (0, 1, 2, 3))], N)
    tries = {
        "three devices": lambda: parallel.device_mesh(3),
        "a mesh of three": lambda: parallel.ShardedState.zeros(N, three),
        "too many": lambda: parallel.device_mesh(16),
        "no groups": lambda: parallel.device_mesh(2, 0),
        "outer wires": lambda: parallel.ShardedState.zeros(5, mesh),
        "too wide": lambda: parallel.run(wide, zeros),
        "noise": lambda: parallel.run(noisy, zeros),
        "width": lambda: parallel.run(Circuit([h(0)], 5), zeros),
        "layers": lambda: parallel.run(Circuit([h(0)], N), zeros, layers=0),
        "projector": lambda: parallel.expectation(zeros, projector),
        "batch": lambda: parallel.map_batch(lambda x: x, mesh)(np.zeros(3)),
        "trajectories": lambda: parallel.average_trajectories(
            jax.random.key(1), noisy, StateVector.zeros(N), pauli("Z", 0), 9, mesh
        ),
    }
    found = {}
    for name, attempt in tries.items():
        try:
            attempt()
            found[name] = "nothing raised"
        except (ValueError, TypeError) as error:
            found[name] = f"{type(error).__name__}: {error}"
    return found


def long() -> dict[str, Any]:
    """More meshes, and 64 bits."""
    with jax.enable_x64(True):
        precise = unsharded(np.float64, ((8, 1),))
    others = unsharded(np.float32, ((4, 2), (1, 1)))
    return {"64 bits": precise, "32 bits": others, "shots": trajectories(True)}


def memory() -> dict[str, float]:
    """Temporaries of a gradient on each device, in shards."""
    wires, mesh = 21, parallel.device_mesh(8)

    def value(angles: Any) -> Any:
        zeros = parallel.ShardedState.zeros(wires, mesh)
        final = parallel.run(hardware_efficient(angles), zeros, layers=1)
        return parallel.expectation(final, ising(wires))

    slope = jax.jit(jax.value_and_grad(value))
    found = {}
    for depth in (2, 8):
        compiled = slope.lower(np.zeros((depth, wires, 2), np.float32)).compile()
        analysis = compiled.memory_analysis()
        assert analysis is not None
        found[str(depth)] = analysis.temp_size_in_bytes / (2 ** (wires - 3) * 8)
    return found


SECTIONS = {
    "unsharded": lambda: unsharded(np.float32, ((8, 1),)),
    "states": states,
    "programs": programs,
    "samples": samples,
    "trajectories": trajectories,
    "batches": batches,
    "refusals": refusals,
    "long": long,
    "memory": memory,
}


if __name__ == "__main__":
    print(json.dumps({name: SECTIONS[name]() for name in sys.argv[1:]}))
