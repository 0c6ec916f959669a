"""Circuits with fewer gates that do the same."""

from qjax.circuits.rewrite.commutation import commute as commute
from qjax.circuits.rewrite.simplify import drop_identities as drop_identities
from qjax.circuits.rewrite.simplify import fold_gates as fold_gates
from qjax.circuits.rewrite.simplify import merge_one_wire as merge_one_wire
from qjax.circuits.rewrite.simplify import simplify as simplify
