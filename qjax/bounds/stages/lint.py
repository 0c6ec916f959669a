"""Sanity of a statement before any proof: limits, poles, signs, units, trivial cases.

The linter reads the statement only. A finding is a warning unless a trivial structure
violates the statement, with exact numbers: then it is a witness.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import mpmath
import sympy as sp

from qjax.bounds.bound import Bound
from qjax.bounds.information import evaluate, precise
from qjax.bounds.memory.trivial import TrivialStructure, trivial_structures
from qjax.bounds.stages.comparison import violated_sides

BASE_NOISE = (Fraction(0), Fraction(1, 10), Fraction(1, 2), Fraction(1))
BASE_LAYERS = (0, 1, 3)
# How close to a pole the linter goes: a pole there exceeds any memory tried.
POLE_GAPS = (Fraction(1, 2**6), Fraction(1, 2**20), Fraction(1, 2**60))


@dataclasses.dataclass(frozen=True)
class Finding:
    """One remark on a statement.

    Attributes:
        rule: "limits", "poles", "sign", "monotonicity", "dimension", "trivial".
        passed: Whether the rule is kept.
        message: One sentence.
        structure: The trivial structure that violates the statement, or None.
        sides: (left, right) there, or None.
    """

    rule: str
    passed: bool
    message: str
    structure: TrivialStructure | None = None
    sides: tuple[Any, Any] | None = None


def lint(bound: Bound, constants: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Check a statement's limits, poles, signs, units and trivial structures.

    Args:
        bound: Its variables carry the roles that the linter substitutes by.
        constants: Values of the existential constants, by symbol name.

    Returns:
        One finding per rule that applies, and one per kind of violation.

    Source: theory of bounds, section 8, stage 1.
    """
    roles = {v.role: v.symbol for v in bound.variables if v.role}
    if "memory" not in roles:
        text = "no symbol has the role `memory`: only declared instances are checked"
        return (Finding("trivial", True, text),)
    quiet = quiet_values(bound)
    known = {**constants, **quiet}
    used = bound.statement.free_symbols
    numbers = {s: known[s.name] for s in used if s.name in known}
    opaque = sorted(s.name for s in used - set(roles.values()) if s not in numbers)
    if opaque:
        text = f"the linter cannot interpret {', '.join(opaque)}: instances only"
        return (Finding("trivial", True, text),)
    substituted = bound.statement.subs(numbers, simultaneous=True)
    if substituted in (sp.true, sp.false):
        text = f"the statement is {substituted}"
        return (Finding("trivial", bool(substituted), text),)
    right = _claimed_side(substituted, roles["memory"])
    critical = _critical_noise(right, roles)
    findings = [
        _dimension(right, roles),
        _poles(critical),
        _limits(right, roles),
        _monotonicity(bound, right, roles),
        _sign(bound, right, roles, critical),
    ]
    kept = [finding for finding in findings if finding is not None]
    return tuple(kept) + tuple(_trivial(bound, substituted, roles, critical))


def _claimed_side(relation: sp.Rel, memory: sp.Symbol) -> sp.Expr:
    """What the statement claims to be needed, as a bound on the memory itself."""
    greater, smaller = relation.gts, relation.lts
    if memory in greater.free_symbols and memory not in smaller.free_symbols:
        return sp.together(smaller / (greater / memory))
    return smaller


def _point(roles: Mapping[str, sp.Symbol], **changes: Any) -> dict[str, Any]:
    """A generic point of the domain by role, and its changes, by symbol name."""
    base = {
        "memory": 8, "items": 2, "block_size": 4, "universe": 8,
        "member_acceptance": Fraction(9, 10), "other_acceptance": Fraction(1, 10),
        "false_positive": Fraction(1, 10), "false_negative": Fraction(1, 10),
        "survival": Fraction(9, 10), "noise": Fraction(1, 10), "layers": 1,
        "holevo": Fraction(1, 2), "batch": 4,
    }  # fmt: skip
    if "noise" in changes:
        changes["survival"] = 1 - changes["noise"]
    base.update(changes)
    return {symbol.name: base[role] for role, symbol in roles.items()}


def _dimension(right: sp.Expr, roles: Mapping[str, sp.Symbol]) -> Finding:
    sizes = {roles[r] for r in ("items", "block_size", "universe") if r in roles}
    if right.free_symbols & sizes:
        return Finding("dimension", True, "the right side scales with the stored set")
    text = (
        "the right side contains neither the number of elements n nor the universe N: "
        "a memory that stores nothing and one that stores everything get one bound"
    )
    return Finding("dimension", False, text)


def _critical_noise(
    right: sp.Expr, roles: Mapping[str, sp.Symbol]
) -> list[tuple[int, Fraction]]:
    """(T, epsilon) in the domain at which the right side's denominator vanishes."""
    _, denominator = sp.fraction(right)
    noise, survival = roles.get("noise"), roles.get("survival")
    unknown = noise if noise is not None else survival
    if unknown is None or unknown not in denominator.free_symbols:
        return []
    if denominator.atoms(sp.Function) - denominator.atoms(sp.log):
        return []  # a capacity in the denominator: zero only where capacity is
    found = []
    for layers in (1, 2, 10, 40, 100):
        point = _point(roles, layers=layers)
        point.pop(unknown.name)
        named = {s: sp.Rational(str(point[s.name])) for s in roles.values()
                 if s.name in point}  # fmt: skip
        for root in sp.solve(denominator.subs(named), unknown):
            epsilon = root if unknown == noise else 1 - root
            inside = epsilon.is_real and 0 < epsilon < 1
            if inside and noise is not None:
                # Continued fractions are not needed: any rational near it serves.
                found.append((layers, Fraction(str(sp.N(epsilon, 40)))))
    return found


def _poles(critical: list[tuple[int, Fraction]]) -> Finding:
    if not critical:
        return Finding("poles", True, "no pole of the right side inside the domain")
    layers, noise = critical[0]
    text = f"the right side has a pole at T={layers}, epsilon={float(noise):.6g}"
    return Finding("poles", False, text)


def _value(expression: sp.Expr, point: Mapping[str, Any]) -> mpmath.mpf:
    return evaluate(expression, point, digits=60)


def _limits(right: sp.Expr, roles: Mapping[str, sp.Symbol]) -> Finding | None:
    """Noise off and no layers must give one and the same finite noiseless bound."""
    if "noise" not in roles and "survival" not in roles:
        return None
    noiseless = _value(right, _point(roles, noise=Fraction(0)))
    tiny = _value(right, _point(roles, noise=Fraction(1, 10**40)))
    if not mpmath.isfinite(noiseless) or abs(tiny - noiseless) > mpmath.mpf("1e-30"):
        text = f"noise -> 0 gives {mpmath.nstr(tiny, 6)}, no noise {noiseless}"
        return Finding("limits", False, text)
    if "layers" in roles:
        no_layers = _value(right, _point(roles, layers=0))
        if abs(no_layers - noiseless) > mpmath.mpf("1e-30"):
            text = f"T = 0 gives {mpmath.nstr(no_layers, 6)}, epsilon = 0 {noiseless}"
            return Finding("limits", False, text)
    return Finding("limits", True, "epsilon -> 0 and T -> 0 agree and are finite")


def _monotonicity(
    bound: Bound, right: sp.Expr, roles: Mapping[str, sp.Symbol]
) -> Finding | None:
    """Classes of "at most T" are nested: a bound on their best may not grow with T."""
    if "layers" not in roles:
        return None
    few = _value(right, _point(roles, layers=1))
    more = _value(right, _point(roles, layers=2))
    wrong = (more > few) if bound.model.layers == "at most" else (more < few)
    if wrong:
        text = (
            f"with `{bound.model.layers} T` classes are nested the other way: "
            f"the right side goes from {mpmath.nstr(few, 6)} at T=1 to "
            f"{mpmath.nstr(more, 6)} at T=2"
        )
        return Finding("monotonicity", False, text)
    return Finding("monotonicity", True, "changes with T as its class of structures")


def _sign(
    bound: Bound,
    right: sp.Expr,
    roles: Mapping[str, sp.Symbol],
    critical: list[tuple[int, Fraction]],
) -> Finding:
    """Where claimed, stronger noise may not turn a positive requirement negative."""
    levels = [Fraction(k, 8) for k in range(8)]
    levels += [min(noise * 2, Fraction(99, 100)) for _, noise in critical]
    counts = [1, 3] + [layers for layers, _ in critical]
    for layers in counts:
        for noise in levels:
            point = _point(roles, layers=layers, noise=noise)
            if not bound.claimed_at(point):
                continue
            value = _value(right, point)
            if value < -mpmath.mpf("1e-30"):
                text = (
                    f"the right side is {mpmath.nstr(value, 6)} < 0 at T={layers}, "
                    f"epsilon={float(noise):.6g}: vacuous where noise is stronger"
                )
                return Finding("sign", False, text)
    return Finding("sign", True, "the right side is never negative")


def _trivial(
    bound: Bound,
    relation: sp.Rel,
    roles: Mapping[str, sp.Symbol],
    critical: list[tuple[int, Fraction]],
) -> Iterator[Finding]:
    """One finding per kind of trivial structure that violates the statement."""
    at_most = bound.model.layers == "at most"
    noisy = "noise" in roles or "survival" in roles
    levels = BASE_NOISE if noisy else (Fraction(0),)
    candidates = list(trivial_structures(levels, BASE_LAYERS, at_most))
    for layers, noise in critical:
        near = tuple(noise * (1 - gap) for gap in POLE_GAPS)
        near = tuple(x.limit_denominator(2**80) for x in near)
        candidates += trivial_structures(near, (layers,), layers_at_most=False)
    killed: set[str] = set()
    for structure in candidates:
        kind = structure.name.split(":")[0].split(",")[0]
        if kind in killed or not set(roles) <= set(structure.roles) | {"holevo"}:
            continue
        if not _in_domain(bound, structure):
            continue
        sides = violated_sides(relation, by_symbol(bound, structure))
        if sides is not None:
            killed.add(kind)
            text = f"violated by {structure.name}"
            yield Finding("trivial", False, text, structure, sides)
    if not killed:
        text = f"{len(candidates)} trivial structures respect the statement"
        yield Finding("trivial", True, text)


def quiet_values(bound: Bound) -> dict[str, Any]:
    """Noise parameters that the linter cannot interpret, at their noiseless values."""
    return {v.symbol.name: v.quiet for v in bound.variables if v.quiet is not None}


def by_symbol(bound: Bound, structure: TrivialStructure) -> dict[str, Any]:
    """The structure's numbers by the names of the bound's symbols."""
    given = {
        v.symbol.name: structure.roles[v.role]
        for v in bound.variables
        if v.role in structure.roles
    }
    return {**quiet_values(bound), **given}


def _in_domain(bound: Bound, structure: TrivialStructure) -> bool:
    values = by_symbol(bound, structure)
    for variable in bound.variables:
        if variable.symbol.name in values:
            value = precise(values[variable.symbol.name])
            if not variable.low <= value <= variable.high:
                return False
    return bound.claimed_at(values)
