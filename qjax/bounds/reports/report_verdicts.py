"""The verdicts of a verification, and which of them is expected of a bound."""

STATUSES = {
    "REFUTED": "a witness violates the statement and was replayed at high precision",
    "VACUOUS": "the right side is trivial at every instance tried",
    "UNFALSIFIABLE": "it has no mutants, or the checks refuted none of them",
    "PROVED": "every step is closed, none that the conclusion rests on is sampled or "
    "certified on a part of its domain only, every mutant is refuted, every tight "
    "instance and every search reaches its ratio; axioms are trusted as listed",
    "CERTIFIED-ON-DOMAIN": "as PROVED, but the conclusion rests on a step that is "
    "certified on a stated domain only",
    "SUPPORTED": "nothing refutes it, and something above is missing",
}
"""Every verdict and its rule; the first that applies, in this order, is given."""


def expected_verdict(bound: str) -> str:
    """What the verdict on a bound should be: literal statements are false as written.

    Args:
        bound: Id.

    Returns:
        "REFUTED", or "not refuted".
    """
    return "REFUTED" if "literal" in bound else "not refuted"


def as_expected(bound: str, status: str) -> bool:
    """Whether a verdict is the expected one.

    A bound that is expected to hold must be neither refuted nor empty: VACUOUS and
    UNFALSIFIABLE are as bad as REFUTED.
    """
    if expected_verdict(bound) == "REFUTED":
        return status == "REFUTED"
    return status not in ("REFUTED", "VACUOUS", "UNFALSIFIABLE")
