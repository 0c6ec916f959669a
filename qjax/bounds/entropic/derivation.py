"""Deriving entropic inequalities: linear programs guess, exact arithmetic decides."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import scipy.optimize
import scipy.sparse

from qjax._checks import require
from qjax.bounds.entropic.axioms import Axiom, elementary_axioms, general_axioms
from qjax.bounds.entropic.certificate import Certificate, NotDerivable, terms_of
from qjax.bounds.entropic.exact_linear import nonnegative_solution, solve
from qjax.bounds.entropic.expressions import EntropyExpression, EntropyRelation, Term
from qjax.bounds.entropic.parsing import parse
from qjax.bounds.entropic.systems import System

LARGEST_GENERAL = 6
"""Up to this many registers proofs may use axioms about sets of any size."""

LARGEST = 9
"""Most registers: 9 have 511 entropies and about 5800 elementary axioms."""

_SMALL = 1e-7


def derive(claim: EntropyRelation | str, system: System) -> Certificate | NotDerivable:
    """Prove an inequality between entropies, or show that the axioms do not imply it.

    claim = sum_i w_i axiom_i + sum_j v_j assumption_j with w_i >= 0: a linear program
    finds which terms occur, with the least sum of weights; the weights follow from
    exact linear algebra. If there are none, the dual program gives numbers that obey
    every axiom and break the claim. Either answer has passed its own `check`.

    Args:
        claim: An inequality, as text or built by >= and <=.
        system: The registers and what is assumed of their state.

    Returns:
        A `Certificate`, or `NotDerivable` (which does not mean false, see
        `qjax.bounds.entropic`).

    Raises:
        ValueError: If the claim is an equation or names an unknown register, or the
            system has more than 9 registers.

    Source: Yeung (1997) for the method; Pippenger (2003) for the quantum axioms.

    Example:
        >>> from qjax.bounds.entropic import System, derive
        >>> system = System("X1 X2 Q", independent=["X1; X2"])
        >>> print(derive("I(X1 X2;Q) >= I(X1;Q) + I(X2;Q)", system))
        I(X1 X2;Q) >= I(X1;Q) + I(X2;Q)
        is the sum of
            1 * [I(X1;X2|Q) >= 0]  strong subadditivity
            1 * [S(X1 X2) = S(X1) + S(X2)]  independent: X1; X2
    """
    relation = parse(claim) if isinstance(claim, str) else claim
    rule = "be an inequality; prove each direction of an equation by itself"
    require(not relation.is_equality, "claim", rule, relation)
    unknown = sorted(relation.form.registers - set(system.names))
    require(not unknown, "claim", f"speak of {system.names}", unknown)
    size = len(system.names)
    require(size <= LARGEST, "system", f"have at most {LARGEST} registers", size)
    short = size <= LARGEST_GENERAL
    axioms = general_axioms(system) if short else elementary_axioms(system)
    answer = search(relation, system, axioms)
    if answer.faults():
        raise ArithmeticError(f"{relation}: {'; '.join(answer.faults())}")
    return answer


def search(
    claim: EntropyRelation, system: System, axioms: Sequence[Axiom]
) -> Certificate | NotDerivable:
    """Combine the given axioms to the claim, without checking the answer.

    Args:
        claim: An inequality.
        system: The registers and assumptions.
        axioms: What may be used, besides the assumptions.

    Returns:
        A `Certificate`, or `NotDerivable` with numbers that obey these axioms; it
        passes its own check only if they generate all axioms of the system.
    """
    known = system.assumptions
    equations = [name for name, relation in known.items() if relation.is_equality]
    bounds = [name for name, relation in known.items() if not relation.is_equality]
    # Columns: axioms, assumed inequalities, assumed equations, the same negated.
    columns = [axiom.form for axiom in axioms]
    columns += [known[name].form for name in (*bounds, *equations)]
    columns += [-known[name].form for name in equations]
    terms = terms_of(claim, system)
    weights = _float_weights(columns, len(axioms), claim.form, terms)
    if weights is None:
        ray = _float_ray(columns, claim.form, terms)
        if ray is not None:
            return NotDerivable(claim, system, ray)
        vectors = [column.coefficients for column in columns]
        weights, dual = nonnegative_solution(vectors, claim.form.coefficients)
        if weights is None:
            return NotDerivable(claim, system, _in_integers(dual, terms))
    totals: dict[str, Fraction] = {}
    names = [*bounds, *equations, *equations]
    negated = len(axioms) + len(bounds) + len(equations)
    for index, weight in weights.items():
        if index >= len(axioms):
            name = names[index - len(axioms)]
            sign = -1 if index >= negated else 1
            totals[name] = totals.get(name, Fraction(0)) + sign * weight
    used = tuple((w, axioms[i]) for i, w in sorted(weights.items()) if i < len(axioms))
    return Certificate(claim, system, used, tuple((w, n) for n, w in totals.items()))


def _matrix(
    forms: Sequence[EntropyExpression], terms: Sequence[Term]
) -> scipy.sparse.csr_matrix:
    """One row per form."""
    place = {term: index for index, term in enumerate(terms)}
    entries = [
        (row, place[term], float(value))
        for row, form in enumerate(forms)
        for term, value in form.terms
    ]
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    shape = (len(forms), len(terms))
    return scipy.sparse.csr_matrix((values, (rows, columns)), shape=shape)


def _float_weights(
    columns: Sequence[EntropyExpression],
    num_axioms: int,
    claim: EntropyExpression,
    terms: Sequence[Term],
) -> dict[int, Fraction] | None:
    """Exact weights of least sum on the support that HiGHS finds, if that works."""
    # Assumptions are cheap but not free, so that pairs of opposite signs stay out.
    costs = np.where(np.arange(len(columns)) < num_axioms, 1.0, 2.0**-10)
    found = scipy.optimize.linprog(
        costs,
        A_eq=_matrix(columns, terms).T,
        b_eq=_matrix([claim], terms).toarray()[0],
        method="highs-ds",
    )
    if found.status != 0:
        return None
    support = [int(index) for index in np.flatnonzero(found.x > _SMALL)]
    equations = []
    for term in terms:
        row = {i: c for i in support if (c := columns[i].coefficients.get(term))}
        equations.append((row, claim.coefficients.get(term, Fraction(0))))
    exact = solve(equations)
    if exact is None or any(weight < 0 for weight in exact.values()):
        return None
    return {index: weight for index, weight in exact.items() if weight}


def _float_ray(
    columns: Sequence[EntropyExpression],
    claim: EntropyExpression,
    terms: Sequence[Term],
) -> dict[Term, Fraction] | None:
    """Exact numbers on the constraints that are tight where HiGHS stops, if they do."""
    matrix = _matrix(columns, terms)
    is_entropy = [not isinstance(term, str) for term in terms]
    found = scipy.optimize.linprog(
        np.array(is_entropy, float),
        A_ub=-matrix,
        b_ub=np.zeros(len(columns)),
        A_eq=_matrix([claim], terms),
        b_eq=[-1.0],
        bounds=[(0 if entropy else None, None) for entropy in is_entropy],
        method="highs-ds",
    )
    if found.status != 0:
        return None
    tight = np.flatnonzero(np.abs(matrix @ found.x) < _SMALL).tolist()
    zero = [t for t, x in zip(terms, found.x, strict=True) if abs(x) < _SMALL]
    nothing, one = Fraction(0), Fraction(1)
    equations = [({term: one}, nothing) for term in zero]
    equations += [(columns[index].coefficients, nothing) for index in tight]
    equations.append((claim.coefficients, -one))
    exact = solve(equations)
    if exact is None:
        return None
    complete = {term: exact.get(term, nothing) for term in terms}
    if any(column.evaluate(complete) < 0 for column in columns):
        return None
    return _in_integers(exact, terms)


def _in_integers(
    values: Mapping[Term, Fraction], terms: Sequence[Term]
) -> dict[Term, Fraction]:
    """The same ray with the smallest integers."""
    entries = [values.get(term, Fraction(0)) for term in terms]
    scale = math.lcm(*(entry.denominator for entry in entries))
    divisor = math.gcd(*(int(entry * scale) for entry in entries)) or 1
    return {t: e * scale / divisor for t, e in zip(terms, entries, strict=True)}
