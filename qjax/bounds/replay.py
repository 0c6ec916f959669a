"""The replay of a stored witness: a refutation that anyone can repeat."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import mpmath

from qjax._checks import require
from qjax.bounds.bound import Bound
from qjax.bounds.catalogue import BOUNDS
from qjax.bounds.reports.report import WITNESS_FORMAT, Witness
from qjax.bounds.search.candidates import REPLAY_ERROR
from qjax.bounds.stages.comparison import relation_sides, violated_sides


class Replayed(NamedTuple):
    """A witness replayed.

    Attributes:
        bound: Id of the bound or mutant.
        statement: The inequality, as text.
        name: Kind and name of the witness.
        left, right: Both sides, recomputed at 50 digits, shown with 17.
        violates: Whether the statement is still violated.
    """

    bound: str
    statement: str
    name: str
    left: str
    right: str
    violates: bool


def replay(
    witness: Witness | Mapping[str, Any] | str, bound: Bound | None = None
) -> bool:
    """Recompute a witness from its instance and say whether it still violates.

    Instances, families and Monte-Carlo runs are simulated again on the engine, random
    structures and candidates of searches are rebuilt from their stored states, trivial
    structures from their exact numbers; the inequality is evaluated at 50 digits.

    Args:
        witness: A `Witness`, its dictionary, or that as JSON text.
        bound: Where it belongs; by default looked up in `BOUNDS` by id.

    Returns:
        Whether the statement is violated.

    Raises:
        ValueError: If the witness has another format version, names an unknown bound,
            mutant or instance, or speaks of another statement than the bound does.

    Example:
        >>> from qjax.bounds import BOUNDS
        >>> sorted(BOUNDS)[:2]
        ['A1', 'A1/block']
    """
    return replayed_sides(witness, bound).violates


def replayed_sides(
    witness: Witness | Mapping[str, Any] | str, bound: Bound | None = None
) -> Replayed:
    """Replay a witness and show both sides, each computed anew.

    Args:
        witness: A `Witness`, its dictionary, or that as JSON text.
        bound: Where it belongs; by default looked up in `BOUNDS` by id.

    Returns:
        Both sides, and whether the statement is violated.

    Raises:
        ValueError: As `replay` does.

    Example:
        >>> import jax
        >>> from qjax.bounds import SMOKE, literal_b, replayed_sides, verify
        >>> with jax.enable_x64(True):
        ...     report = verify(jax.random.key(0), literal_b("ratio"), SMOKE)
        ...     found = replayed_sides(report.witnesses[0])
        >>> found.left, found.right, found.violates
        ('1.0', '0.5', True)
    """
    record = _record(witness)
    own = _find_bound(str(record["bound"]), bound)
    attacked = [a.relation for a in own.attacks if a.relation is not None]
    known = (own.statement, *own.also, *attacked)
    relations = {str(relation): relation for relation in known}
    rule = f"speak of a statement of {own.id}"
    statement = str(record["statement"])
    require(statement in relations, "witness", rule, statement)
    constants = {k: _number(v) for k, v in record["constants"].items()}
    found, error = _values(record, own, constants)
    values = {**found, **constants}
    left, right = relation_sides(relations[statement], values)
    violates = violated_sides(relations[statement], values, error) is not None
    name = f"{record['kind']}: {record['name']}"
    sides = mpmath.nstr(left, 17), mpmath.nstr(right, 17)
    return Replayed(str(record["bound"]), statement, name, *sides, violates)


def _record(witness: Witness | Mapping[str, Any] | str) -> Mapping[str, Any]:
    if isinstance(witness, Witness):
        return witness.to_dict()
    record = json.loads(witness) if isinstance(witness, str) else witness
    version = record.get("format")
    rule = f"have format {WITNESS_FORMAT}; it was written by another version of qjax"
    require(version == WITNESS_FORMAT, "witness", rule, version)
    return record


def _find_bound(identifier: str, bound: Bound | None) -> Bound:
    """The bound itself, or its mutant if the id is "bound/mutant"."""
    base, _, mutant_id = identifier.rpartition("/")
    if bound is None:
        is_mutant = identifier not in BOUNDS
        known = base if is_mutant else identifier
        require(known in BOUNDS, "witness", f"name one of {sorted(BOUNDS)}", identifier)
        bound = BOUNDS[known]()
    if identifier == bound.id:
        return bound
    for mutant in bound.mutants:
        if base == bound.id and mutant.id == mutant_id:
            return bound.with_mutant(mutant)
    require(False, "witness", f"belong to {bound.id} or one of its mutants", identifier)
    return bound


def _values(
    record: Mapping[str, Any], bound: Bound, constants: Mapping[str, Any]
) -> tuple[Mapping[str, Any], float]:
    """Values by symbol name, simulated or rebuilt, and their relative error."""
    kind, name = record["kind"], record["name"]
    if kind == "trivial structure":
        return {k: _number(v) for k, v in record["values"].items()}, 0.0
    if kind == "family" and bound.family is not None:
        member = bound.family(constants)
        return member.values(), member.error
    if kind == "random" and bound.replay_random is not None:
        return bound.replay_random(record["data"]), 0.0
    if kind == "attack":
        attacks = [attack for attack in bound.attacks if attack.name == name]
        require(bool(attacks), "witness", f"name a search of {bound.id}", name)
        return attacks[0].replay(record["data"]), REPLAY_ERROR
    found = [instance for instance in bound.instances if instance.name == name]
    require(bool(found), "witness", f"name an instance of {bound.id}", name)
    if kind == "monte carlo" and found[0].sampled is not None:
        data = record["data"]
        key = jax.random.wrap_key_data(jnp.asarray(data["key"], jnp.uint32))
        return found[0].sampled(key, data["shots"], data["confidence"]), 0.0
    return found[0].values(), found[0].error


def _number(text: str) -> Any:
    """Exact text back to a number: a float if it has a point or exponent."""
    floating = any(mark in text for mark in ".einf")
    return float(text) if floating else text
