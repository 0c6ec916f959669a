"""Measure the default `qjax.simulate.Rates` on the machine at hand, and print them.

    python scripts/bench/rates.py [--rounds N] [--core C]

Each rate is what the predictions of `recommend` divide by: it comes from a run of the
kind that is predicted. Times are CPU time on one core, which other programs on the
machine disturb less than the clock on the wall; the best of a few rounds counts.
"""

import argparse
import dataclasses
import os
import sys
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from qjax import network
from qjax._linalg import product
from qjax.circuits import Circuit, cx, ghz, hardware_efficient, ising, pauli, t
from qjax.simulate import Rates, expectation, propagate, run
from qjax.states import MPS, StabilizerState, StateVector
from scripts.bench.machine import processor
from scripts.bench.process import environment


@dataclasses.dataclass(frozen=True)
class Sizes:
    """What the rates are measured on.

    Attributes:
        matrix: Rows of a matrix that is multiplied.
        eigen: Rows of a matrix whose eigenvectors are found.
        wires: Wires of a state vector that is passed over.
        clifford: Wires of a tableau.
        doublings: Gates that double the Pauli words.
        compiled: Wires of the circuits that are compiled.
    """

    matrix: int = 256
    eigen: int = 64
    wires: int = 20
    clifford: int = 500
    doublings: int = 12
    compiled: int = 10


def seconds(call: Callable[[], object], rounds: int, first: bool = False) -> float:
    """CPU time of a call: the least of some rounds, of first calls or of later ones."""
    found = []
    jax.block_until_ready(call())
    for _ in range(rounds):
        if first:
            jax.clear_caches()
        start = time.process_time()
        jax.block_until_ready(call())
        found.append(time.process_time() - start)
    return max(min(found), 1e-9)


def compiling(call: Callable[[], object], rounds: int) -> float:
    """CPU time that a first call takes longer than a later one."""
    return max(seconds(call, rounds, first=True) - seconds(call, rounds), 1e-9)


def layers(num_wires: int) -> Circuit:
    """Three layers of turns and a ladder of CX."""
    angles = np.linspace(0.1, 3, 6 * num_wires, dtype=np.float32)
    return hardware_efficient(angles.reshape(3, num_wires, 2))


def flops(sizes: Sizes, rounds: int) -> float:
    """8 n^3 real operations of a complex matrix product."""
    own = jnp.full((sizes.matrix,) * 2, 0.1 + 0.1j, jnp.complex64)
    multiply = jax.jit(product)
    return 8 * sizes.matrix**3 / seconds(lambda: multiply(own, own), rounds)


def pass_bytes(sizes: Sizes, rounds: int) -> float:
    """One pass for four operations, as it is predicted."""
    circuit, start = layers(sizes.wires), StateVector.zeros(sizes.wires)
    done = jax.jit(run)
    passes = circuit.resources().num_operations / 4
    spent = seconds(lambda: done(circuit, start), rounds)
    return passes * start.amplitudes.nbytes / spent


def eigenvalues(sizes: Sizes, rounds: int) -> float:
    """Eigenvectors of 16 Hermitian matrices."""
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(2, 16, sizes.eigen, sizes.eigen))
    many = jnp.asarray(parts[0] + 1j * parts[1], jnp.complex64)
    own = many + jnp.conj(jnp.swapaxes(many, 1, 2))
    decompose = jax.jit(jnp.linalg.eigh)
    return seconds(lambda: decompose(own), rounds) / (16 * sizes.eigen**3)


def tableau_gate(sizes: Sizes, rounds: int) -> float:
    """GHZ states."""
    circuit, start = ghz(sizes.clifford), StabilizerState.zeros(sizes.clifford)
    return seconds(lambda: run(circuit, start), rounds) / sizes.clifford


def word_gate(sizes: Sizes, rounds: int) -> float:
    """X on every wire, behind a T on each, behind ladders of CX."""
    wires = range(sizes.doublings)
    ladder = [cx(wire, wire + 1) for wire in wires[:-1]]
    circuit = Circuit([*ladder * 10, *map(t, wires)], sizes.doublings)
    word = pauli("X" * sizes.doublings, wires)
    spent = seconds(lambda: propagate(circuit, word).coefficients, rounds)
    return spent / (len(circuit.operations) * 2**sizes.doublings)


def start(sizes: Sizes, rounds: int) -> float:
    """An expectation on two wires, compiled before."""
    return seconds(_value(layers(2), StateVector.zeros(2)), rounds)


def compile_state(sizes: Sizes, rounds: int) -> float:
    """A state vector and its reading."""
    zeros = StateVector.zeros(sizes.compiled)
    return compiling(_value(layers(sizes.compiled), zeros), rounds)


def compile_chain(sizes: Sizes, rounds: int) -> float:
    """A chain that cuts its bonds, and its reading."""
    return compiling(
        _value(layers(sizes.compiled), MPS.zeros(sizes.compiled, 4)), rounds
    )


def compile_tensor(sizes: Sizes, rounds: int) -> float:
    """The network of one word."""
    circuit, word = layers(sizes.compiled), pauli("Z", 0)
    plan = network.plan_contraction(network.average_network(circuit, word))
    spent = compiling(lambda: network.expectation(circuit, word), rounds)
    return spent / len(plan.tree.inputs)


def _value(circuit: Circuit, zeros: StateVector | MPS) -> Callable[[], object]:
    energy = ising(circuit.num_wires)
    return lambda: expectation(run(circuit, zeros), energy)


MEASURES = {
    measure.__name__: measure
    for measure in (
        flops,
        pass_bytes,
        eigenvalues,
        tableau_gate,
        word_gate,
        start,
        compile_state,
        compile_chain,
        compile_tensor,
    )
}
"""For each field of `Rates`, how it is measured."""


def measured(sizes: Sizes, rounds: int) -> Rates:
    """Measure all rates."""
    return Rates(**{name: one(sizes, rounds) for name, one in MEASURES.items()})


def main() -> None:
    """Print the rates as a table, with the present defaults beside them."""
    parser = argparse.ArgumentParser(description="Measure the default `Rates`.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=0)
    arguments = parser.parse_args()
    alone = environment("single")
    if os.environ.get("OMP_NUM_THREADS") != alone["OMP_NUM_THREADS"]:
        # Linear algebra counts its threads when it is loaded: start again with one.
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {arguments.core})
        os.execve(sys.executable, [sys.executable, *sys.argv], alone)
    rates = measured(Sizes(), arguments.rounds)
    print(f"{processor()}, jax {jax.__version__}")
    print(f"| {'rate':<16} | measured | default |\n|{'-' * 18}|---:|---:|")
    for name, value in dataclasses.asdict(rates).items():
        print(f"| {name:<16} | {value:.2g} | {getattr(Rates(), name):.2g} |")


if __name__ == "__main__":
    main()
