"""Plans: a circuit as a short program of matrix products over a whole state."""

from qjax.plan.calibrate import calibrate as calibrate
from qjax.plan.clifford import CliffordProgram as CliffordProgram
from qjax.plan.clifford import clifford_prefix as clifford_prefix
from qjax.plan.clifford import is_clifford as is_clifford
from qjax.plan.clifford import lower_clifford as lower_clifford
from qjax.plan.cost import CostModel as CostModel
from qjax.plan.cost import default_cost_model as default_cost_model
from qjax.plan.executor import execute as execute
from qjax.plan.matrices import level_matrices as level_matrices
from qjax.plan.pairs import pair_layers as pair_layers
from qjax.plan.program import Program as Program
from qjax.plan.program import plan as plan
from qjax.plan.program import predict_seconds as predict_seconds
from qjax.plan.program import program_matrices as program_matrices
from qjax.plan.sweeps import Layout as Layout
from qjax.plan.sweeps import cheapest_cover as cheapest_cover
from qjax.plan.turns import turn_levels as turn_levels
from qjax.plan.words import takes_word as takes_word
from qjax.plan.words import with_word as with_word
