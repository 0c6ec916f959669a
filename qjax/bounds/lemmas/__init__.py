"""Lemmas that several bounds rest on, as proof steps with their checks.

One module per lemma, with a text of the same name in proofs/lemmas/.
"""

from qjax.bounds.lemmas.table import LEMMAS as LEMMAS
from qjax.bounds.lemmas.table import with_lemmas as with_lemmas
