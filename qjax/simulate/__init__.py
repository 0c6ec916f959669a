"""Where circuits meet states: run, trajectory, expectation, sample, estimate."""

from qjax.simulate.measure import estimate as estimate
from qjax.simulate.measure import expectation as expectation
from qjax.simulate.measure import sample as sample
from qjax.simulate.run import run as run
from qjax.simulate.run import unitary_matrix as unitary_matrix
from qjax.simulate.trajectory import Record as Record
from qjax.simulate.trajectory import average_trajectories as average_trajectories
from qjax.simulate.trajectory import trajectory as trajectory
