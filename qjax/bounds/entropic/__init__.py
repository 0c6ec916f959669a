"""Entropic inequalities of quantum states: exact proofs from strong subadditivity.

State a problem in a line or two; get a certificate that anyone can add up by hand.

Example:
    >>> from qjax.bounds.entropic import System, derive
    >>> system = System("X A R", classical="X", independent=["X; R"])
    >>> print(derive("I(X;AR) <= 2 S(A)", system))
    I(X;AR) <= 2 S(A)
    is the sum of
        1 * [I(A;R) >= 0]  strong subadditivity
        1 * [S(A) + S(A|RX) >= 0]  weak monotonicity
        1 * [S(RX) = S(X) + S(R)]  independent: X; R
    >>> derive("I(X;AR) <= S(A)", system).check()  # superdense coding says no
    True

An answer `NotDerivable` says that the axioms and assumptions do not imply the claim.
The claim may be true all the same: for four or more registers there are inequalities
that all states obey and strong subadditivity does not give (`axioms` says which
families are complete where).
"""

from qjax.bounds.entropic.axioms import Axiom as Axiom
from qjax.bounds.entropic.axioms import elementary_axioms as elementary_axioms
from qjax.bounds.entropic.axioms import general_axioms as general_axioms
from qjax.bounds.entropic.certificate import Certificate as Certificate
from qjax.bounds.entropic.certificate import NotDerivable as NotDerivable
from qjax.bounds.entropic.derivation import derive as derive
from qjax.bounds.entropic.expressions import EntropyExpression as EntropyExpression
from qjax.bounds.entropic.expressions import EntropyRelation as EntropyRelation
from qjax.bounds.entropic.expressions import conditional_entropy as conditional_entropy
from qjax.bounds.entropic.expressions import entropy as entropy
from qjax.bounds.entropic.expressions import mutual_information as mutual_information
from qjax.bounds.entropic.expressions import parameter as parameter
from qjax.bounds.entropic.lemmas import DERIVATIONS as DERIVATIONS
from qjax.bounds.entropic.lemmas import NOT_DERIVABLE as NOT_DERIVABLE
from qjax.bounds.entropic.lemmas import EntropicClaim as EntropicClaim
from qjax.bounds.entropic.parsing import parse as parse
from qjax.bounds.entropic.stored import replay_certificate as replay_certificate
from qjax.bounds.entropic.stored import stored_certificate as stored_certificate
from qjax.bounds.entropic.stored import write_certificates as write_certificates
from qjax.bounds.entropic.systems import System as System
