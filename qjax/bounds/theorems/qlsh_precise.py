"""Replay of a simulated sketch in mpmath: the same sums, no engine and no closed form.

One qubit at a time as 2 x 2 matrices: kets, Kraus operators, traces; then the sum over
all pairs of sign patterns, and over the outcomes of every trial.
"""

import itertools
from collections.abc import Mapping
from typing import Any

import mpmath

_EXTRA = 20  # digits beyond the wanted ones, for the numerical derivative


def _state(angle: Any, noise: Mapping[str, Any]) -> mpmath.matrix:
    """Rz(angle)|+> after T layers of Kraus operators."""
    ket = mpmath.matrix([mpmath.expj(-angle / 2), mpmath.expj(angle / 2)])
    ket /= mpmath.sqrt(2)
    rho = ket * ket.H
    for _ in range(int(noise["T"])):
        for kraus in _channels(noise):
            rho = sum((k * rho * k.H for k in kraus), mpmath.zeros(2))
    return rho


def _channels(noise: Mapping[str, Any]) -> list[list[mpmath.matrix]]:
    lam, nu, eta, e = (mpmath.mpf(noise[name]) for name in ("lam", "nu", "eta", "e"))
    root = mpmath.sqrt
    identity = mpmath.eye(2)
    paulis = [
        mpmath.matrix([[0, 1], [1, 0]]),
        mpmath.matrix([[0, -1j], [1j, 0]]),
        mpmath.matrix([[1, 0], [0, -1]]),
    ]
    depolarize = [identity * root((1 + 3 * lam) / 4)]
    depolarize += [pauli * root((1 - lam) / 4) for pauli in paulis]
    dephase = [identity * root((1 + nu) / 2), paulis[2] * root((1 - nu) / 2)]
    lower, upper = (mpmath.matrix(u) for u in ([[0, 1], [0, 0]], [[0, 0], [1, 0]]))
    damp = [
        mpmath.diag([1, root(eta)]) * root(1 - e),
        lower * root((1 - e) * (1 - eta)),
        mpmath.diag([root(eta), 1]) * root(e),
        upper * root(e * (1 - eta)),
    ]
    return [depolarize, dephase, damp]


class _Bucket:
    """What a query with bucket sum B sees of a stored qubit with bucket sum A."""

    def __init__(self, record: Mapping[str, Any]):
        self.theta = mpmath.mpf(record["theta"])
        self.noise = record
        self.states: dict[int, mpmath.matrix] = {}
        self.pairs: dict[tuple[int, int], tuple[Any, Any, Any]] = {}

    def state(self, total: int) -> mpmath.matrix:
        if total not in self.states:
            self.states[total] = _state(self.theta * total, self.noise)
        return self.states[total]

    def pair(self, a: int, b: int) -> tuple[Any, Any, Any]:
        """<psi_A|psi_B>, Tr rho_A rho_B and <Y>_A."""
        if (a, b) not in self.pairs:
            half = (b - a) * self.theta / 2
            amplitude = (mpmath.expj(-half) + mpmath.expj(half)) / 2
            product = self.state(a) * self.state(b)
            stored = self.state(a)
            height = -2 * mpmath.im(stored[0, 1])
            overlap = mpmath.re(product[0, 0] + product[1, 1])
            self.pairs[a, b] = (mpmath.re(amplitude), overlap, height)
        return self.pairs[a, b]


def _pair_values(parts: list[tuple[Any, Any, Any]], b_sums: list[int]) -> dict:
    amplitude = mpmath.fprod(part[0] for part in parts)
    overlap = mpmath.fprod(part[1] for part in parts)
    readout = [b * part[2] for b, part in zip(b_sums, parts, strict=True)]
    mean = mpmath.fsum(readout)
    # Y_q^2 = 1, and outcomes of different qubits are independent given the signs.
    square = mean**2 + mpmath.fsum(
        b**2 - x**2 for b, x in zip(b_sums, readout, strict=True)
    )
    local = mpmath.fsum(part[1] for part in parts)
    local_square = local**2 + mpmath.fsum(1 - part[1] ** 2 for part in parts)
    return {
        "A": amplitude, "E": overlap, "E2": overlap**2, "L": local,
        "L2": local_square, "G": mean, "G2": square, "Gf": mean**2,
    }  # fmt: skip


def _shots(overlap: Any, shots: int) -> tuple[Any, Any]:
    """Mean and second moment of the average of c outcomes +-1, outcome by outcome."""
    plus = (1 + overlap) / 2
    first = second = mpmath.mpf(0)
    for count in range(shots + 1):
        chance = mpmath.binomial(shots, count)
        chance *= plus**count * (1 - plus) ** (shots - count)
        average = mpmath.mpf(2 * count) / shots - 1
        first += chance * average
        second += chance * average**2
    return first, second


def _profiles(record: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Sums over pairs of patterns at each Hamming distance, times 2^-k."""
    m, g = int(record["m"]), int(record["g"])
    bucket, k = _Bucket(record), m * g
    patterns = list(itertools.product((1, -1), repeat=k))
    names = ("A", "E", "E2", "L", "L2", "G", "G2", "Gf", "S", "S2")
    sums = {name: [mpmath.mpf(0)] * (k + 1) for name in names}
    totals = {row: [sum(row[q::m]) for q in range(m)] for row in patterns}
    for first, second in itertools.product(patterns, repeat=2):
        distance = sum(x != y for x, y in zip(first, second, strict=True))
        a, b = totals[first], totals[second]
        parts = [bucket.pair(x, y) for x, y in zip(a, b, strict=True)]
        values = _pair_values(parts, b)
        values["S"], values["S2"] = _shots(values["E"], int(record["c"]))
        for name in names:
            sums[name][distance] += values[name] / 2**k
    return sums


def _mean(profile: list[Any], cosine: Any) -> Any:
    delta = mpmath.acos(cosine) / mpmath.pi
    k = len(profile) - 1
    return mpmath.fsum(
        x * delta**h * (1 - delta) ** (k - h) for h, x in enumerate(profile)
    )


def replay_sketch(record: Mapping[str, Any], digits: int = 50) -> Mapping[str, Any]:
    """Every simulated number of one sketch at `digits` digits.

    Args:
        record: Serialised sketch: theta, s, m, g, lam, nu, eta, e, T, c as numbers; a
            float stands for the exact binary fraction it is.
        digits: Digits of the result.

    Returns:
        Values by symbol name, with the record's own.
    """
    with mpmath.workdps(digits + _EXTRA):
        sums = _profiles(record)
        cosine = mpmath.mpf(record["s"])
        means = {name: _mean(profile, cosine) for name, profile in sums.items()}
        slopes = {
            f"d{name}": mpmath.diff(lambda x, row=sums[name]: _mean(row, x), cosine)
            for name in ("A", "E", "L")
        }
        shot_noise = (means["G2"] - means["Gf"]) / int(record["c"])
        variances = {
            "VG": means["G2"] - means["G"] ** 2,
            "VGc": shot_noise + means["Gf"] - means["G"] ** 2,
            "VL": means["L2"] - means["L"] ** 2,
            "V": means["S2"] - means["S"] ** 2,
        }
    kept = {name: means[name] for name in ("A", "E", "E2", "L", "G")}
    return {**record, **kept, **slopes, **variances}


def precise_power(false_positive: Any, num_signs: int, low: Any, high: Any) -> Any:
    """Neyman-Pearson power of d_H thresholds, mixed, for P(signs differ) low and high.

    Args:
        false_positive: Rate under `low`.
        num_signs: k.
        low: delta at the lower cosine, the larger probability.
        high: delta at the higher cosine.
    """
    left, total = false_positive, mpmath.mpf(0)
    for h in range(num_signs + 1):
        ways = mpmath.binomial(num_signs, h)
        size = ways * low**h * (1 - low) ** (num_signs - h)
        gain = ways * high**h * (1 - high) ** (num_signs - h)
        part = min(left, size)
        total += gain if size == 0 else gain * part / size
        left -= part
    return total


def _tail(overlap: Any, shots: int, threshold: int) -> Any:
    """P(at least t of c trials give +1)."""
    plus = (1 + overlap) / 2
    return mpmath.fsum(
        mpmath.binomial(shots, n) * plus**n * (1 - plus) ** (shots - n)
        for n in range(threshold, shots + 1)
    )


def _effect(rows: Mapping[str, Any]) -> mpmath.matrix:
    """Hermitian matrix with its spectrum clipped to [0, 1]."""
    real, imag = (mpmath.matrix(rows[part]) for part in ("real", "imag"))
    matrix = real + imag * mpmath.mpc(0, 1)
    values, vectors = mpmath.eighe((matrix + matrix.H) / 2)
    return vectors * mpmath.diag([min(max(v, 0), 1) for v in values]) * vectors.H


def _joint_acceptance(effect: mpmath.matrix, first: Any, second: Any) -> Any:
    """Tr M (rho_a x rho_b) of two qubits."""
    total = mpmath.mpf(0)
    for i, j, x, y in itertools.product(range(2), repeat=4):
        total += mpmath.re(effect[2 * x + y, 2 * i + j] * first[i, x] * second[j, y])
    return total


def replay_test(record: Mapping[str, Any], digits: int = 50) -> Mapping[str, Any]:
    """Rates of one random test at `digits` digits, and the best power at its rate.

    Args:
        record: A sketch (theta, m, g, lam, nu, eta, e, T), the cosines s0 < s1, and
            either c trials with threshold t, or an `effect` on both qubits (m = 1).
        digits: Digits of the result.

    Returns:
        tpr, fpr, power, auc and auc_classical of the test with two outcomes.
    """
    with mpmath.workdps(digits + _EXTRA):
        m, g = int(record["m"]), int(record["g"])
        bucket, k = _Bucket(record), m * g
        effect = _effect(record["effect"]) if "effect" in record else None
        profile = [mpmath.mpf(0)] * (k + 1)
        patterns = list(itertools.product((1, -1), repeat=k))
        for first, second in itertools.product(patterns, repeat=2):
            distance = sum(x != y for x, y in zip(first, second, strict=True))
            pairs = [(sum(first[q::m]), sum(second[q::m])) for q in range(m)]
            if effect is None:
                overlap = mpmath.fprod(bucket.pair(a, b)[1] for a, b in pairs)
                chance = _tail(overlap, int(record["c"]), int(record["t"]))
            else:
                states = [bucket.state(total) for total in pairs[0]]
                chance = _joint_acceptance(effect, *states)
            profile[distance] += chance / 2**k
        cosines = [mpmath.mpf(record[name]) for name in ("s0", "s1")]
        fpr, tpr = (_mean(profile, cosine) for cosine in cosines)
        low, high = (mpmath.acos(cosine) / mpmath.pi for cosine in cosines)
        power = precise_power(fpr, k, low, high)
        ways = [mpmath.binomial(k, h) for h in range(k + 1)]
        law = [
            [w * d**h * (1 - d) ** (k - h) for h, w in enumerate(ways)]
            for d in (low, high)
        ]
        better = mpmath.fsum(
            law[1][h] * (mpmath.fsum(law[0][h + 1 :]) + law[0][h] / 2)
            for h in range(k + 1)
        )
    return {
        "tpr": tpr, "fpr": fpr, "power": power, "auc": (1 + tpr - fpr) / 2,
        "auc_classical": better,
    }  # fmt: skip
