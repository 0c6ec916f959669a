"""Monte-Carlo mutants: what shots alone refute, with which test and how many of them.

Declared power: at these shots, and at the error level of the stage, the test refutes
the mutant with probability 0.99 or more. That probability is summed exactly
(`alarm_probability`), and the tests hold every row to it. Mutants that are not listed
need exact numbers: no test of their bound that ships comes near them.
"""

from collections.abc import Mapping
from typing import NamedTuple

POWER = 0.99
"""Least probability that a declared test refutes its mutant."""


class DeclaredTest(NamedTuple):
    """Name of an instance that has shots, and their number for each kind of query."""

    instance: str
    shots: int


_ROWS: Mapping[str, Mapping[str, tuple[str, int]]] = {
    "A1": {
        "M1": ("sic num_blocks=1 lam=0.9 T=1", 2000),
        "M2": ("sic num_blocks=1 lam=0.5 T=1", 2000),
        "M3": ("sic num_blocks=1 lam=0.9 T=1", 200_000),
        "M4": ("sic num_blocks=1 lam=0.5 T=1", 2000),
        "A1-pauli": ("sic num_blocks=1 lam=0.5 T=1", 20_000),
        "A1-mixture": ("sic num_blocks=1 lam=1 T=1", 20_000),
    },
    "A1/dephasing": {
        "M6": ("repetition copies=1 lam=0.7 T=2", 200),
        "A1-dephasing-unital": ("repetition copies=1 lam=0.7 T=2", 200),
        "A1-dephasing-constant": ("repetition copies=1 lam=0.7 T=2", 20_000),
    },
    "A1/interleaved": {
        "A1-interleaved-fourth": ("sic num_blocks=1 lam=0.9 T=1", 200_000),
        "A1-interleaved-capacity": ("sic num_blocks=1 lam=0.9 T=1", 20_000),
    },
    "A1/block": {
        "A1-block-capacity": ("basis num_wires=2 lam=0.9 T=1", 200_000),
        "A1-block-cubic": ("basis num_wires=2 lam=0.9 T=1", 200_000),
    },
    "A2": {
        "M12": ("basis num_wires=2 lam=0.95 T=2", 2000),
        "A2-interleaved-twice": ("basis num_wires=2 lam=0.95 T=2", 20_000),
        "A2-interleaved-half": ("basis num_wires=2 lam=0.95 T=2", 2000),
    },
    "A2/block": {
        "A2-block-twice": ("basis num_wires=2 lam=0.95 T=2", 20_000),
        "A2-block-half": ("basis num_wires=2 lam=0.95 T=2", 2000),
    },
    "A3": {
        "A3a": ("one qubit lam=0", 200),
        "A3b": ("one qubit lam=0.5", 2000),
        "A3c": ("one qubit lam=0", 2000),
        "A3f": ("one qubit lam=0", 20_000),
    },
    "A5": {
        "A5a": ("sic num_blocks=1 lam=0.5 T=1 L=1", 20_000),
        "A5b": ("sic num_blocks=1 lam=0.5 T=1 L=1", 20_000),
    },
    "A6": {
        "M10": ("Bell lam=1 T=1", 200),
        "A6a": ("Bell lam=1 T=1", 200),
        "A6b": ("Bell lam=1 T=1", 20_000),
        "A6c": ("Bell lam=0.5 T=1", 2000),
        "A6d": ("Bell lam=1 T=1", 200),
    },
    "A6/noiseless": {
        "M10": ("Bell lam=1 T=1", 200),
        "A6a": ("Bell lam=1 T=1", 20_000),
        "A6b": ("Bell lam=1 T=1", 200),
        "A6c": ("Bell lam=1 T=1", 200),
    },
    "A6/any-set": {
        "A6a": ("wandering m=2 lam=0.9 T=1", 2000),
        "A6c": ("Bell lam=0.9 T=1", 2000),
        "A6d": ("wandering m=2 lam=0.9 T=1", 20_000),
        "A6e": ("Bell lam=0.9 T=1", 200_000),
    },
    "A7": {
        "M11": ("GHZ k=8 theta=0.3", 200),
        "A7a": ("GHZ k=8 theta=0.3", 200),
        "A7b": ("GHZ k=8 theta=0.3", 200),
        "A7c": ("GHZ k=8 theta=0.3", 200),
        "A7d": ("GHZ k=8 theta=0.3", 20_000),
    },
    "B1/fano": {
        "B1f": ("stored bits B=1 lam=0.9 T=1", 200_000),
        "B1h": ("stored symbol a=4 error=0.1 lam=1 T=1", 2000),
    },
    "B1'": {
        "B1m": ("stored bits B=1 lam=0.9 T=1", 2000),
        "B1n": ("stored bits B=1 lam=0.9 T=1", 200_000),
        "B1o": ("stored bits B=1 lam=0.9 T=1", 200),
    },
    "B1'/joint": {
        "B1q": ("named word B=1 lam=0.5 T=1", 2000),
        "B1r": ("named word B=2 lam=1 T=1", 2000),
        "B1t": ("named word B=2 lam=0.9 T=1", 200),
    },
    "Q-LSH/dominance": {
        "Q9a": ("SWAP k=1 theta=0.9 c=3", 20_000),
    },
}

MONTE_CARLO_MUTANTS: dict[str, dict[str, DeclaredTest]] = {
    bound: {mutant: DeclaredTest(*test) for mutant, test in tests.items()}
    for bound, tests in _ROWS.items()
}
"""Id of a bound -> id of its mutant -> the test that refutes it."""
