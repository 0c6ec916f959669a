"""The entropic steps of the bounds, and statements that must not be derivable.

Numbers such as L1 and A1 are those of the theory of bounds, section 2 and later. A
channel needs no axiom of its own: it is an isometry, which changes no entropy, followed
by the loss of a register. Processing is therefore `data_processing` below.
"""

import dataclasses
from collections.abc import Mapping

from qjax.bounds.entropic.systems import System


@dataclasses.dataclass(frozen=True)
class EntropicClaim:
    """An inequality with the system that it is about.

    Attributes:
        claim: The inequality as text.
        system: Registers and assumptions.
        note: What it is for; for claims that are not derivable, why they are false (or
            true for another reason).
    """

    claim: str
    system: System
    note: str


_TWO = System("X1 X2 Q", independent=["X1; X2"])
_THREE = System("X1 X2 X3 Q", independent=["X1; X2; X3"])
_CQ = System("X Q", classical="X")
_UPDATE = System("X A' R", independent=["X; R"])
_COPIES = System("X Q1 Q2", classical="X", independent=["Q1; Q2 | X"])
_L1_TWO = "I(X1 X2;Q) >= I(X1;Q) + I(X2;Q)"
_L1_THREE = "I(X1 X2 X3;Q) >= I(X1;Q) + I(X2;Q) + I(X3;Q)"
_SUM_THREE = "I(X1;Q) + I(X2;Q) + I(X3;Q)"


def _identical_copies(number: int) -> System:
    """Copies of one state rho_X: equal marginals, independent given X."""
    copies = [f"Q{i}" for i in range(1, number + 1)]
    equal = [f"S(Q1) = S({copy})" for copy in copies[1:]]
    equal += [f"S(X Q1) = S(X {copy})" for copy in copies[1:]]
    return System(("X", *copies), "X", ["; ".join(copies) + " | X"], (), equal)


def _batch(conditions: list[str]) -> System:
    """Two queries about X1 and X2, answered from two copies of one memory."""
    return System(
        "X1 X2 Q1 Q2", "X1 X2", ["X1; X2", "Q1; Q2 | X1 X2"], conditions=conditions
    )


_DISCARDING: Mapping[str, EntropicClaim] = {
    "subadditivity": EntropicClaim(
        "S(AB) <= S(A) + S(B)", System("AB"), "entropy of parts"
    ),
    "araki_lieb": EntropicClaim(
        "S(AB) >= S(A) - S(B)", System("AB"), "triangle inequality; needs a purifier"
    ),
    "pure_halves": EntropicClaim(
        "S(A) <= S(B)", System("AB", pure=["AB"]), "halves of a pure state"
    ),
    "monogamy": EntropicClaim(
        "I(A;B) + I(A;C) <= 2 S(A)", System("ABC"), "correlation is shared out"
    ),
    "conditioning": EntropicClaim(
        "S(A|BC) <= S(A|B)", System("ABC"), "conditioning reduces entropy"
    ),
    "data_processing": EntropicClaim(
        "I(A;BC) >= I(A;B)", System("ABC"), "a channel on BC that loses C"
    ),
    "markov": EntropicClaim(
        "I(X;Q) <= I(Y;Q)",
        System("X Y Q", conditions=["I(X;Q|Y) = 0"]),
        "processing along a Markov chain X, Y, Q",
    ),
    "function": EntropicClaim(
        "I(Y;Q) <= I(X;Q)",
        System("X Y Q", classical="X Y", conditions={"Y = f(X)": "S(Y|X) = 0"}),
        "a function of X tells no more than X",
    ),
    "chain_rule_lower": EntropicClaim(
        "I(X1 X2;Q) >= I(X1;Q) + I(X2;Q|X1)", System("X1 X2 Q"), "identity, one way"
    ),
    "chain_rule_upper": EntropicClaim(
        "I(X1 X2;Q) <= I(X1;Q) + I(X2;Q|X1)", System("X1 X2 Q"), "identity, other way"
    ),
}

_HOLEVO: Mapping[str, EntropicClaim] = {
    "concavity": EntropicClaim("S(Q) >= S(Q|X)", _CQ, "entropy of a mixture, below"),
    "mixing": EntropicClaim(
        "S(Q) <= S(X) + S(Q|X)", _CQ, "entropy of a mixture, above"
    ),
    "holevo_memory": EntropicClaim(
        "I(X;Q) <= S(Q)", _CQ, "m qubits hold at most m bits of classical X"
    ),
    "holevo_source": EntropicClaim(
        "I(X;Q) <= S(X)", _CQ, "no more information than there is to store"
    ),
    "quantum_source": EntropicClaim(
        "I(X;Q) <= 2 S(Q)", System("X Q"), "a quantum X may be entangled with Q"
    ),
    "superdense": EntropicClaim(
        "I(X;AR) <= 2 S(A)",
        System("X A R", independent=["X; R"]),
        "pre-shared entanglement at most doubles the memory",
    ),
}

_THEOREMS: Mapping[str, EntropicClaim] = {
    "l1_two_parts": EntropicClaim(_L1_TWO, _TWO, "L1, n = 2, quantum parts allowed"),
    "l1_three_parts": EntropicClaim(_L1_THREE, _THREE, "L1, n = 3"),
    "l1_public_randomness": EntropicClaim(
        "I(X1 X2;Q|R) >= I(X1;Q|R) + I(X2;Q|R)",
        System("X1 X2 Q R", classical="R", independent=["X1; X2 | R"]),
        "L1 for every value of public randomness R",
    ),
    "l4_supermodular": EntropicClaim(
        "a + b + c - S(ABC) + b - S(B) >= a + b - S(AB) + b + c - S(BC)",
        System("ABC"),
        "f(A) = |A| - S(A) is supermodular; a, b, c are the sizes",
    ),
    "l4_contraction": EntropicClaim(
        "5 a + 5 b + 5 c - 5 S(ABC) >= 4 a + 4 b + 4 c - 2 S(AB) - 2 S(BC) - 2 S(AC)"
        " + a - S(A) + b - S(B) + c - S(C)",
        System("ABC"),
        "L4, three blocks at lambda = 2/3, times 27/2: E f(kept) <= 2 f(all)/3",
    ),
    "l8_conditional_independence": EntropicClaim(
        "I(X;Q1 Q2) <= I(X;Q1) + I(X;Q2)", _COPIES, "L8 before marginals are equal"
    ),
    "l8_two_copies": EntropicClaim(
        "I(X;Q1 Q2) <= 2 I(X;Q1)", _identical_copies(2), "L8, c = 2"
    ),
    "l8_three_copies": EntropicClaim(
        "I(X;Q1 Q2 Q3) <= 3 I(X;Q1)", _identical_copies(3), "L8, c = 3"
    ),
    "l9_given_reference": EntropicClaim(
        "I(X;A' R) <= I(X;A'|R)", _UPDATE, "L9: R knows nothing of X"
    ),
    "l9_local_update": EntropicClaim(
        "I(X;A' R) <= I(X R;A')", _UPDATE, "L9: what an update of A' can write"
    ),
    "l9_two_bits_per_qubit": EntropicClaim(
        "I(X;A' R) <= 2 t",
        System("X A' R", "X", ["X; R"], conditions={"t qubits": "S(A') <= t"}),
        "L9 and A6 without noise: t qubits take at most 2t bits",
    ),
    "a1_memory": EntropicClaim(
        f"{_SUM_THREE} <= m",
        System(
            "X1 X2 X3 Q", "X1 X2 X3", ["X1; X2; X3"],
            conditions={"m qubits": "S(Q) <= m"},
        ),
        "A1, steps 2 and 3, noiseless: n independent elements share m bits",
    ),
    "a1_capacity": EntropicClaim(
        f"{_SUM_THREE} <= chi",
        System(
            "X1 X2 X3 Q", "X1 X2 X3", ["X1; X2; X3"],
            conditions={"capacity": "I(X1 X2 X3;Q) <= chi"},
        ),
        "A1, steps 2 and 3: n independent elements share chi bits",
    ),
    "a1_entanglement": EntropicClaim(
        "I(X1;QR) + I(X2;QR) <= 2 m",
        System(
            "X1 X2 Q R", "X1 X2", ["X1; X2; R"], conditions={"m qubits": "S(Q) <= m"}
        ),
        "A1 with a pre-shared entangled R: a factor of two at most",
    ),
    "b1_same_copies": EntropicClaim(
        "I(X1;Q1 Q2) + I(X2;Q1 Q2) <= 2 chi",
        _batch(["I(X1 X2;Q1) <= chi", "I(X1 X2;Q2) <= chi"]),
        "B1, steps 1 and 2: both queries use the same two copies",
    ),
    "b1_own_copies": EntropicClaim(
        "I(X1;Q1) + I(X2;Q2) <= chi",
        _batch(
            ["I(X1 X2;Q1) <= chi", "S(X1 Q1) = S(X1 Q2)", "S(X2 Q1) = S(X2 Q2)",
             "S(Q1) = S(Q2)"]
        ),
        "B1, step 2: each query has a copy of its own, counted once",
    ),
}  # fmt: skip

DERIVATIONS: Mapping[str, EntropicClaim] = {**_DISCARDING, **_HOLEVO, **_THEOREMS}
"""True inequalities by name; each has a stored certificate."""

NOT_DERIVABLE: Mapping[str, EntropicClaim] = {
    "l1_without_independence": EntropicClaim(
        _L1_TWO, System("X1 X2 Q", classical="X1 X2 Q"), "X1 = X2 = Q, one fair bit"
    ),
    "l8_without_conditional_independence": EntropicClaim(
        "I(X;Q1 Q2) <= I(X;Q1) + I(X;Q2)",
        System("X Q1 Q2", classical="X Q1 Q2"),
        "X = Q1 xor Q2 of two fair bits",
    ),
    "l9_without_independence": EntropicClaim(
        "I(X;A' R) <= I(X R;A')", System("X A' R", classical="X A' R"), "X = R"
    ),
    "negative_conditional_entropy": EntropicClaim(
        "S(A|B) >= 0", System("AB"), "a Bell state"
    ),
    "monotonicity": EntropicClaim("S(AB) >= S(A)", System("AB"), "a Bell state"),
    "entangled_source": EntropicClaim("I(A;B) <= S(A)", System("AB"), "a Bell state"),
    "shannon_for_quantum": EntropicClaim(
        "I(A;B|C) <= S(A|C)", System("ABC"), "a Bell state of A and B"
    ),
    "superdense_half": EntropicClaim(
        "I(X;AR) <= S(A)",
        System("X A R", classical="X", independent=["X; R"]),
        "superdense coding: two bits in one qubit",
    ),
    "ingleton": EntropicClaim(
        "I(A;B) <= I(A;B|C) + I(A;B|D) + I(C;D)",
        System("ABCD", classical="ABCD"),
        "C, D fair bits, A = C and D, B = C or D",
    ),
    "zhang_yeung": EntropicClaim(
        "2 I(C;D) <= I(A;B) + I(A;CD) + 3 I(C;D|A) + I(C;D|B)",
        System("ABCD", classical="ABCD"),
        "true (Zhang and Yeung 1998), but not by Shannon's inequalities",
    ),
    "linden_winter": EntropicClaim(
        "I(C;D) >= I(C;AB)",
        System("ABCD", conditions=["I(A;C|B) = 0", "I(B;C|A) = 0", "I(A;B|D) = 0"]),
        "true (Linden and Winter 2005), but not by strong subadditivity",
    ),
}
"""Claims that the axioms do not imply: false ones, and the last two, which are true."""
