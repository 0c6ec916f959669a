"""The quantum cell-probe model: who encodes, what is noisy, who asks, and how often.

A bound on quantum data structures means nothing without these choices, because each of
them changes a constant, an exponent, or whether the bound is true. So none has a
default: a model in which one is missing is refused with the name of the choice.
"""

import dataclasses

from qjax._checks import require

OPTIONS: dict[str, dict[str, str]] = {
    "noise_place": {
        "storage": "between encoding and query, with nothing between the layers",
        "interleaved": "layers with arbitrary unitaries on the memory between them",
        "readout": "on the qubit that is measured for the answer only",
        "update": "on the qubits that an update touches, after it",
        "none": "no noise",
    },
    "layers": {
        "exactly": "exactly T layers act on every memory qubit",
        "at least": "at least T layers act on every memory qubit",
        "at most": "any number up to T: classes of structures are nested in T",
        "none": "the statement has no number of layers",
    },
    "copies": {
        "one": "every query gets one fresh copy, or the statement speaks of one state",
        "own": "every query gets c fresh copies of its own",
        "shared": "all queries of a batch share the same c copies",
    },
    "memory_counts": {
        "all copies": "m, or chi, counts every copy that a query uses",
        "one copy": "m, or chi, is that of one copy; copies appear as a factor",
    },
    "choice": {
        "average": "errors are averages over uniform block sets and queries",
        "worst case": "errors hold for every set and query, chosen by an adversary",
        "adaptive": "queries may depend on earlier answers of fresh copies",
        "none": "nothing is asked: the statement speaks of states",
    },
    "updates": {
        "none": "static: the memory is written once",
        "unital": "unitaries on the memory and unital noise; no reset, no fresh qubit",
        "local": "any channel on the t touched qubits",
    },
    "batch": {
        "single": "one query is answered",
        "collective": "a batch is answered by any adaptive collective measurement",
        "single-copy": "a batch is answered by measurements of one copy at a time",
    },
    "randomness": {
        "none": "no randomness is shared",
        "public": "encoder and querier may share randomness of any amount, free",
    },
    "entanglement": {
        "none": "the memory is not entangled with the querier",
        "within the memory": "touched qubits may be entangled with the untouched ones",
    },
    "entropy_sink": {
        "forbidden": "no fresh ancilla, reset or measurement between write and query",
        "allowed": "ancillas, resets and measurements are free",
    },
}
"""Every choice of the model and what each option means."""

NOISE_PARAMETERS = {
    "none": "no noise",
    "replacement": "rho -> lambda rho + (1 - lambda) I/d, epsilon = 1 - lambda",
    "pauli": "each Pauli with p/3: lambda = 1 - 4p/3",
    "coherence": "off-diagonal elements are multiplied by lambda",
    "survival": "an excitation survives with eta = 1 - gamma; coherence sqrt(eta)",
    "relaxation": "populations relax with eta = e^(-t/T1), coherences with e^(-t/T2)",
    "erasure": "with probability mu the state is replaced by a fixed one",
    "any": "the statement speaks of any channel, through its capacity",
}
"""Parametrisations of noise; mixing them changes constants by 4/3 and more."""

QUESTIONS = {
    "noise_parameter": "which epsilon convention",
    "noise_place": "storage or interleaved",
    "layers": "at most, at least or exactly T",
    "copies": "how many copies a query gets",
    "memory_counts": "whether the memory counts all copies",
    "choice": "average or worst case",
    "updates": "static or dynamic",
    "batch": "one query or a batch",
    "randomness": "shared or not",
    "entanglement": "with what the memory is entangled",
    "entropy_sink": "whether fresh qubits may carry entropy away",
    "log_base": "bits or nats",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class CellProbeModel:
    """The hypotheses of a bound on quantum data structures, one field per choice.

    Encode: S -> rho_S on m qubits. Noise: a fixed channel between encoding and query.
    Query: a two-outcome measurement. Update: a channel on the memory. Every field must
    be given; the options are the keys of `OPTIONS` and `NOISE_PARAMETERS`.

    Attributes:
        noise_parameter: Key of `NOISE_PARAMETERS`.
        noise_place, layers, copies, memory_counts, choice, updates, batch, randomness,
            entanglement, entropy_sink: Keys of the row of `OPTIONS` with that name.
        log_base: 2: every entropy and logarithm of the statement is in bits.

    Raises:
        ValueError: If a field is missing or is not one of its options.

    Source: theory of bounds, section 1.

    Example:
        >>> from qjax.bounds import STORED, CellProbeModel
        >>> STORED.noise_place, STORED.layers
        ('storage', 'at least')
        >>> CellProbeModel(noise_parameter="replacement")
        Traceback (most recent call last):
            ...
        ValueError: Argument `noise_place` must say storage or interleaved: one of ...
    """

    noise_parameter: str | None = None
    noise_place: str | None = None
    layers: str | None = None
    copies: str | None = None
    memory_counts: str | None = None
    choice: str | None = None
    updates: str | None = None
    batch: str | None = None
    randomness: str | None = None
    entanglement: str | None = None
    entropy_sink: str | None = None
    log_base: int | None = None

    def __post_init__(self):
        options = {"noise_parameter": NOISE_PARAMETERS, **OPTIONS}
        for field, rows in options.items():
            value = getattr(self, field)
            rule = f"say {QUESTIONS[field]}: one of {sorted(rows)}"
            shown = "missing" if value is None else repr(value)
            require(value in rows, field, rule, shown)
        require(self.log_base == 2, "log_base", "be 2 (bits)", self.log_base)

    def sentences(self) -> tuple[str, ...]:
        """What the choices mean, one line each, for reports."""
        lines = [f"noise: {NOISE_PARAMETERS[str(self.noise_parameter)]}"]
        for field, rows in OPTIONS.items():
            value = str(getattr(self, field))
            lines.append(f"{field.replace('_', ' ')}: {value}: {rows[value]}")
        return tuple(lines)


STORED = CellProbeModel(
    noise_parameter="replacement",
    noise_place="storage",
    layers="at least",
    copies="one",
    memory_counts="all copies",
    choice="average",
    updates="none",
    batch="single",
    randomness="public",
    entanglement="none",
    entropy_sink="forbidden",
    log_base=2,
)
"""The static one-way setting of Theorem A1 with depolarizing storage noise."""
