"""Random batches again at 50 digits: what a float64 violation must survive to count.

Serialised arrays stand for the exact numbers they hold. States are made Hermitian,
non-negative and of trace one, bases orthonormal, marginals normalised, all at the
working precision, so that every replayed batch is an exact one to that precision.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import mpmath

DIGITS = 50

# mpmath's numbers and matrices carry no usable types.
Number = Any
Matrix = Any


def replay_batch(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values of every symbol of the B1 family at 50 digits.

    Args:
        record: What `random_batches` serialises.

    Returns:
        The names of `batch_values`.
    """
    with mpmath.workdps(DIGITS):
        return _replay(record)


def _replay(record: Mapping[str, Any]) -> Mapping[str, Any]:
    queries, size = record["B"], record["a"]
    wires, copies = record["m"], record["c"]
    marginals, values, variances = _law(record)
    states = [_state(matrix) for matrix in _matrices(record["states"])]
    noisy = [_noise(rho, wires, mpmath.mpf(record["lam"])) for rho in states]
    letters = [_letters(x, queries, size) for x in range(size**queries)]
    prior = [
        mpmath.fprod(marginals[j][v] for j, v in enumerate(word)) for word in letters
    ]
    register = [_register(rho, wires, copies) for rho in noisy]
    bases = [_orthonormal(basis) for basis in _matrices(record["bases"])]
    answers = []
    for j, basis in enumerate(bases):
        joint = [[mpmath.mpf(0)] * basis.cols for _ in range(size)]
        for rho, weight, word in zip(register, prior, letters, strict=True):
            for y, chance in enumerate(_born(basis, rho)):
                joint[word[j]][y] += weight * chance
        answers.append(_one_answer(joint, values[j], variances[j]))
    mean = sum((w * rho for w, rho in zip(prior, noisy, strict=True)), 0 * noisy[0])
    kept = mpmath.fsum(w * _entropy(rho) for w, rho in zip(prior, noisy, strict=True))
    word_basis = _orthonormal(_matrices(record["word_basis"])[0])
    whole = [_register(rho, wires, 1) for rho in noisy]
    named = [[w * p for p in _born(word_basis, rho)]
             for w, rho in zip(prior, whole, strict=True)]  # fmt: skip
    return {
        **_average(answers),
        "chi": _entropy(mean) - kept,
        "p": mpmath.fsum(max(column) for column in zip(*named, strict=True)),
        "B": queries, "a": size, "m": wires, "c": copies, "lam": record["lam"], "T": 1,
    }  # fmt: skip


def _law(record: Mapping[str, Any]) -> tuple[list, list, list]:
    """Marginals, values and variances of the answers; bins of a normal from its own."""
    if record["law"] != "normal":
        rows = [[mpmath.mpf(w) for w in row] for row in record["marginals"]]
        marginals = [[w / mpmath.fsum(row) for w in row] for row in rows]
        values = [[mpmath.mpf(x) for x in row] for row in record["values"]]
        return marginals, values, [None] * len(rows)
    marginals, values = [], []
    for row in record["thresholds"]:
        ends = [-mpmath.inf, *map(mpmath.mpf, row), mpmath.inf]
        below = [mpmath.ncdf(t) for t in ends]
        density = [mpmath.npdf(t) for t in ends]
        weights = [high - low for low, high in itertools.pairwise(below)]
        falls = [low - high for low, high in itertools.pairwise(density)]
        marginals.append(weights)
        values.append([f / w for f, w in zip(falls, weights, strict=True)])
    return marginals, values, [mpmath.mpf(1)] * len(values)


def _one_answer(
    joint: Sequence[Sequence[Number]], values: Sequence[Number], variance: Number
) -> dict[str, Number]:
    """V_j, r_j, I(X_j;Y_j), Var X_j and the error of the likeliest value."""
    outcome = [mpmath.fsum(column) for column in zip(*joint, strict=True)]
    marginal = [mpmath.fsum(row) for row in joint]
    mean = mpmath.fdot(marginal, values)
    explained = mpmath.fsum(
        (mpmath.fdot(column, values) - weight * mean) ** 2 / weight
        for column, weight in zip(zip(*joint, strict=True), outcome, strict=True)
        if weight > 0
    )
    support = [x for x, weight in zip(values, marginal, strict=True) if weight > 0]
    information = mpmath.fsum(
        p * mpmath.log(p / (marginal[v] * outcome[y]), 2)
        for v, row in enumerate(joint) for y, p in enumerate(row) if p > 0
    )  # fmt: skip
    if variance is None:
        squares = [(x - mean) ** 2 for x in values]
        variance = mpmath.fdot(marginal, squares)
    right = mpmath.fsum(max(column) for column in zip(*joint, strict=True))
    return {
        "explained": explained, "range": max(support) - min(support),
        "information": information, "variance": variance, "error": 1 - right,
    }  # fmt: skip


def _average(answers: Sequence[Mapping[str, Number]]) -> dict[str, Number]:
    """The sums and means over the batch that the statements use."""
    count = len(answers)
    shares = [min(x["explained"] / x["variance"], mpmath.mpf(1)) for x in answers]
    left = mpmath.fprod(1 - share for share in shares)
    return {
        "S": mpmath.fsum(x["explained"] / x["range"] ** 2 for x in answers),
        "V": mpmath.fsum(x["explained"] for x in answers) / count,
        "r": max(x["range"] for x in answers),
        "I": mpmath.fsum(x["information"] for x in answers),
        "Phi": mpmath.fsum(1 - _coin((1 + mpmath.sqrt(s)) / 2) for s in shares) / count,
        "Delta": mpmath.fsum(shares) / count,
        "delta": max(mpmath.fsum(x["error"] for x in answers) / count, mpmath.mpf(0)),
        "g": left ** (mpmath.mpf(1) / count),
    }


def _coin(p: Number) -> Number:
    return -mpmath.fsum(x * mpmath.log(x, 2) for x in (p, 1 - p) if x > 0)


def _letters(message: int, queries: int, size: int) -> list[int]:
    return [message // size ** (queries - 1 - j) % size for j in range(queries)]


def _matrices(record: Mapping[str, Any]) -> list[Matrix]:
    pairs = zip(record["real"], record["imag"], strict=True)
    return [mpmath.matrix(real) + 1j * mpmath.matrix(imag) for real, imag in pairs]


def _state(matrix: Matrix) -> Matrix:
    """The nearest state: Hermitian part, negative eigenvalues removed, trace one."""
    values, vectors = mpmath.eighe((matrix + matrix.H) / 2)
    clipped = [max(value, mpmath.mpf(0)) for value in values]
    total = mpmath.fsum(clipped)
    scaled = mpmath.diag([value / total for value in clipped])
    return vectors * scaled * vectors.H


def _noise(rho: Matrix, wires: int, survival: Number) -> Matrix:
    """lambda rho + (1 - lambda) I/2 x Tr_wire rho on each wire, entry by entry."""
    for wire in range(wires if survival != 1 else 0):
        bit = 1 << (wires - 1 - wire)
        noisy = survival * rho
        for i in range(rho.rows):
            for j in range(rho.cols):
                if not (i ^ j) & bit:
                    traced = rho[i & ~bit, j & ~bit] + rho[i | bit, j | bit]
                    noisy[i, j] += (1 - survival) * traced / 2
        rho = noisy
    return rho


def _register(rho: Matrix, wires: int, copies: int) -> Matrix:
    """Two qubits: the copy, both copies, or one copy beside a mixed qubit."""
    if wires == 2:
        return rho
    other = rho if copies == 2 else mpmath.eye(2) / 2
    both = mpmath.matrix(4, 4)
    for i in range(4):
        for j in range(4):
            both[i, j] = rho[i // 2, j // 2] * other[i % 2, j % 2]
    return both


def _orthonormal(basis: Matrix) -> Matrix:
    """Gram-Schmidt on columns that are orthonormal up to rounding."""
    columns: list[Matrix] = []
    for k in range(basis.cols):
        column = basis[:, k]
        for earlier in columns:
            column = column - earlier * (earlier.H * column)[0]
        columns.append(column / mpmath.norm(column))
    for k, column in enumerate(columns):
        basis[:, k] = column
    return basis


def _born(basis: Matrix, rho: Matrix) -> list[Number]:
    """<u_y|rho|u_y> for every column u_y; never below 0."""
    moved = rho * basis
    size = range(basis.rows)
    chances = [
        mpmath.re(mpmath.fsum(mpmath.conj(basis[i, y]) * moved[i, y] for i in size))
        for y in range(basis.cols)
    ]
    return [max(chance, mpmath.mpf(0)) for chance in chances]


def _entropy(rho: Matrix) -> Number:
    values = mpmath.eighe(rho, eigvals_only=True)
    return -mpmath.fsum(v * mpmath.log(v, 2) for v in values if v > 0)
