"""Adversarial search: gradient ascent on a bound's violation, replayed in mpmath."""

from qjax.bounds.search.ascent import NormalStart as NormalStart
from qjax.bounds.search.ascent import SearchResult as SearchResult
from qjax.bounds.search.ascent import ascend as ascend
from qjax.bounds.search.ascent import gaussian_start as gaussian_start
from qjax.bounds.search.candidates import Candidate as Candidate
from qjax.bounds.search.candidates import Evaluation as Evaluation
from qjax.bounds.search.code_attack import attack_code as attack_code
from qjax.bounds.search.contraction_attack import (
    attack_contraction as attack_contraction,
)
from qjax.bounds.search.interleaved_attack import attack_damping as attack_damping
from qjax.bounds.search.interleaved_attack import (
    attack_interleaved as attack_interleaved,
)
from qjax.bounds.search.matrix_entropy import binary_divergence as binary_divergence
from qjax.bounds.search.matrix_entropy import (
    divergence_from_mixed as divergence_from_mixed,
)
from qjax.bounds.search.matrix_entropy import holevo as holevo
from qjax.bounds.search.matrix_entropy import von_neumann_entropy as von_neumann_entropy
from qjax.bounds.search.membership_attack import attack_membership as attack_membership
from qjax.bounds.search.parametrise import effects as effects
from qjax.bounds.search.parametrise import isometries as isometries
from qjax.bounds.search.parametrise import kets as kets
from qjax.bounds.search.parametrise import kraus_operators as kraus_operators
from qjax.bounds.search.parametrise import mixed_states as mixed_states
from qjax.bounds.search.parametrise import povms as povms
from qjax.bounds.search.refrigerator import refrigerator as refrigerator
from qjax.bounds.search.refrigerator import (
    refrigerator_permutation as refrigerator_permutation,
)
from qjax.bounds.search.refrigerator import refrigerator_start as refrigerator_start
from qjax.bounds.search.replays import replay_candidate as replay_candidate
from qjax.bounds.search.shot_law_attack import attack_shot_law as attack_shot_law
