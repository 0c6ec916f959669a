r"""Measure ways to cut the bonds of a chain, and show them in docs/benchmarks.md.

    OPENBLAS_NUM_THREADS=1 \
        python scripts/bench/mps_kernels.py [--bonds N ...] [--rounds N] [--core C]

All get the same matrices: those of every pair of neighbours after a layer of W6
that has to be cut. Times are CPU time on one core, in turns.
"""

import argparse
import dataclasses
import os
import pathlib
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from qjax._decompositions import leading_space
from qjax._linalg import dagger, product
from qjax.experiments.files import write_bytes
from qjax.simulate import run
from qjax.states import MPS
from qjax.states.mps.sweeps import gauged
from scripts.bench.report import PAGE, between, markdown
from scripts.bench.sides.numpy_side import matrix
from scripts.bench.sides.qjax_side import chain_circuit
from scripts.bench.workloads import CASES, SEED, alternating_ops

BEGIN, END = "<!-- mps kernels: begin -->", "<!-- mps kernels: end -->"
BONDS = (8, 16, 32, 64)
DTYPE = "complex64"


def matrices(bond: int, num_wires: int = 64) -> np.ndarray:
    """What a layer of W6 leaves to be cut: (pairs, 2 bond, 2 bond), complex128.

    Each holds the state as a matrix from the right of a pair of neighbours to its left,
    in orthonormal bases of both: its squared singular values are the weights.
    """
    # CZ doubles every bond once in two layers; six more have been cut before.
    depth = 2 * (bond.bit_length() - 1) + 6
    case = dataclasses.replace(CASES["W6"], num_wires=num_wires, bond=bond)
    angles = case.angles()
    before = dataclasses.replace(case, depth=depth)
    start = MPS.zeros(num_wires, bond, jnp.complex64)
    state = jax.jit(lambda a: run(chain_circuit(before, a), start))(
        jnp.asarray(angles[:depth], jnp.float32)
    )
    chain = gauged(state.tensors)
    tensors = np.asarray(chain.tensors, complex)
    weights, vectors = np.linalg.eigh(np.asarray(chain.environments[:-1:2], complex))
    roots = np.sqrt(np.maximum(weights, 0))[..., None] * vectors.conj().swapaxes(1, 2)
    layer = alternating_ops(num_wires, depth)
    for op in layer[: 2 * num_wires]:
        gate = matrix(op, angles.ravel())
        tensors[op.wires[0]] = np.einsum("st,atb->asb", gate, tensors[op.wires[0]])
    joined = np.einsum(
        "gxa,gasb,gbty->gxsty", roots, tensors[::2], tensors[1::2], optimize=True
    )
    joined[:, :, 1, 1] *= -1
    return joined.reshape(len(joined), 2 * bond, 2 * bond)


def by_svd(state: jax.Array, bond: int) -> jax.Array:
    rows = jnp.linalg.svd(state, full_matrices=False)[2]
    return dagger(rows[..., :bond, :])


def by_eigh(state: jax.Array, bond: int) -> jax.Array:
    return leading_space(product(dagger(state), state), bond)[0]


def by_range(state: jax.Array, bond: int, passes: int) -> jax.Array:
    """Subspace iteration from random columns, made orthonormal after every pass."""
    gram = product(dagger(state), state)
    parts = np.random.default_rng(SEED).normal(size=(2, gram.shape[-1], bond))
    basis = jnp.asarray(parts[0] + 1j * parts[1], gram.dtype)
    for _ in range(passes):
        basis = jnp.linalg.qr(product(gram, basis))[0]
    return basis


METHODS: dict[str, Callable[[jax.Array, int], jax.Array]] = {
    "SVD": by_svd,
    "Gram matrix, eigh": by_eigh,
    **{
        f"range finder, {n} {'passes' if n > 1 else 'pass'}": partial(
            by_range, passes=n
        )
        for n in (1, 2, 3, 4)
    },
}


def lost(state: np.ndarray, basis: np.ndarray) -> float:
    """Share of the weight outside the basis, over all pairs; computed in complex128."""
    basis = np.linalg.qr(np.asarray(basis, complex))[0]
    kept = np.sum(np.abs(state @ basis) ** 2)
    return float(1 - kept / np.sum(np.abs(state) ** 2))


def least(state: np.ndarray, bond: int) -> float:
    """The share that no basis of this size can keep."""
    weights = np.linalg.svd(state, compute_uv=False) ** 2
    return float(np.sum(weights[:, bond:]) / np.sum(weights))


def rows(bond: int, rounds: int) -> list[dict[str, str | float]]:
    """One line for each way to cut to `bond`."""
    exact = matrices(bond)
    state = jnp.asarray(exact, DTYPE)
    programs = {n: jax.jit(cut, static_argnums=1) for n, cut in METHODS.items()}
    bases = {name: program(state, bond) for name, program in programs.items()}
    took: dict[str, list[float]] = {name: [] for name in METHODS}
    for _ in range(rounds):
        for name, program in programs.items():
            begin = time.process_time()
            jax.block_until_ready(program(state, bond))
            took[name].append(1e3 * (time.process_time() - begin))
    best = least(exact, bond)
    return [
        {
            "bond": str(bond),
            "way": name,
            "CPU, ms": statistics.median(took[name]),
            "weight lost": f"{lost(exact, np.asarray(basis)):.3e}",
            "more than the least": f"{lost(exact, np.asarray(basis)) / best - 1:.2%}",
        }
        for name, basis in bases.items()
    ]


def content(bonds: list[int], rounds: int) -> str:
    table = pd.DataFrame([line for bond in bonds for line in rows(bond, rounds)])
    pairs = CASES["W6"].num_wires // 2
    return f"Batches of {pairs} matrices, {DTYPE}.\n\n{markdown(table)}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure ways to cut bonds.")
    parser.add_argument("--bonds", type=int, nargs="+", default=list(BONDS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--page", type=pathlib.Path, default=PAGE)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {arguments.core})
    found = content(arguments.bonds, arguments.rounds)
    page = arguments.page.read_text()
    write_bytes(arguments.page, between(page, found, BEGIN, END).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
