"""States: pure vectors, density matrices in two bases, and distances between them."""

from qjax.states.base import AbstractState as AbstractState
from qjax.states.batch import StateBatch as StateBatch
from qjax.states.density import DensityMatrix as DensityMatrix
from qjax.states.distances import entropy as entropy
from qjax.states.distances import fidelity as fidelity
from qjax.states.distances import partial_trace as partial_trace
from qjax.states.distances import trace_distance as trace_distance
from qjax.states.mps import MPS as MPS
from qjax.states.pauli_density import PauliDensity as PauliDensity
from qjax.states.sparse import SparseState as SparseState
from qjax.states.stabilizer import StabilizerState as StabilizerState
from qjax.states.vector import StateVector as StateVector
