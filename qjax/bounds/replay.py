"""The replay of a stored witness: a refutation that anyone can repeat."""

import json
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from qjax._checks import require
from qjax.bounds.bound import Bound
from qjax.bounds.catalogue import BOUNDS
from qjax.bounds.report import WITNESS_FORMAT, Witness
from qjax.bounds.stages.comparison import violated_sides


def replay(
    witness: Witness | Mapping[str, Any] | str, bound: Bound | None = None
) -> bool:
    """Recompute a witness from its instance and say whether it still violates.

    Instances, families and Monte-Carlo runs are simulated again on the engine, random
    structures are rebuilt from their stored states, trivial structures from their exact
    numbers; the inequality is then evaluated at 50 digits.

    Args:
        witness: A `Witness`, its dictionary, or that as JSON text.
        bound: Where it belongs; by default looked up in `BOUNDS` by id.

    Returns:
        Whether the statement is violated.

    Raises:
        ValueError: If the witness has another format version, names an unknown bound,
            mutant or instance, or speaks of another statement than the bound does.

    Example:
        >>> from qjax.bounds import BOUNDS, lint, literal_a
        >>> sorted(BOUNDS)[:2]
        ['A1', 'literal-A']
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
    values = {**_values(record, own, constants), **constants}
    error = 1e-9 if record["kind"] in ("instance", "family") else 0.0
    return violated_sides(relations[statement], values, error) is not None


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
) -> Mapping[str, Any]:
    kind, name = record["kind"], record["name"]
    if kind == "trivial structure":
        return {k: _number(v) for k, v in record["values"].items()}
    if kind == "family" and bound.family is not None:
        return bound.family(constants).values()
    if kind == "random" and bound.replay_random is not None:
        return bound.replay_random(record["data"])
    if kind == "attack":
        attacks = [attack for attack in bound.attacks if attack.name == name]
        require(bool(attacks), "witness", f"name a search of {bound.id}", name)
        return attacks[0].replay(record["data"])
    found = [instance for instance in bound.instances if instance.name == name]
    require(bool(found), "witness", f"name an instance of {bound.id}", name)
    if kind == "monte carlo" and found[0].sampled is not None:
        data = record["data"]
        key = jax.random.wrap_key_data(jnp.asarray(data["key"], jnp.uint32))
        return found[0].sampled(key, data["shots"], data["confidence"])
    return found[0].values()


def _number(text: str) -> Any:
    """Exact text back to a number: a float if it has a point or exponent."""
    floating = any(mark in text for mark in ".einf")
    return float(text) if floating else text
