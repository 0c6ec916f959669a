"""L6e: m qubits hold at most m bits, whatever happens to them."""

from qjax.bounds.bound import Step
from qjax.bounds.lemmas.certificates import derived_from_entropies

STEPS = (
    Step("L6e.1", "entropic", "chi <= S(Q) <= m for m qubits under any noise",
         derived_from_entropies("holevo_memory"), ("X1",)),
)  # fmt: skip
"""Steps of proofs/lemmas/memory_size.md."""
