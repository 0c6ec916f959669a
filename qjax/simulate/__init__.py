"""Where circuits meet states: run, trajectory, expectation, sample, estimate."""

from qjax._memory import memory_limit as memory_limit
from qjax.simulate.adaptive import run_to_error as run_to_error
from qjax.simulate.average import StoppedEstimate as StoppedEstimate
from qjax.simulate.average import average_trajectories as average_trajectories
from qjax.simulate.average import average_until as average_until
from qjax.simulate.choose import Answer as Answer
from qjax.simulate.choose import Recommendation as Recommendation
from qjax.simulate.choose import auto as auto
from qjax.simulate.choose import recommend as recommend
from qjax.simulate.each import run_each as run_each
from qjax.simulate.equivalence import circuit_infidelity as circuit_infidelity
from qjax.simulate.estimate import estimate as estimate
from qjax.simulate.measure import expectation as expectation
from qjax.simulate.memory import predict_bytes as predict_bytes
from qjax.simulate.propagation import propagate as propagate
from qjax.simulate.representations import Option as Option
from qjax.simulate.representations import Rates as Rates
from qjax.simulate.run import run as run
from qjax.simulate.run import unitary_matrix as unitary_matrix
from qjax.simulate.sampling import counts as counts
from qjax.simulate.sampling import sample as sample
from qjax.simulate.sampling import sample_indices as sample_indices
from qjax.simulate.shadows import Shadow as Shadow
from qjax.simulate.shadows import classical_shadow as classical_shadow
from qjax.simulate.trajectory import Record as Record
from qjax.simulate.trajectory import trajectory as trajectory
