"""Circuits as data: operations, the gate table, observables and ansätze."""

from qjax.circuits.builders import (
    ccx, ccz, cphase, crx, cry, crz, cswap, cx, cy, cz, gate, h, i, iswap, iswapdg,
    pauli_rotation, phase, rx, rxx, ry, ryy, rz, rzz, s, sdg, swap, sx, sxdg, t, tdg,
    u3, x, y, z,
)
from qjax.circuits.circuit import Circuit, Repeat, unroll
from qjax.circuits.gates import GATES
from qjax.circuits.observables import (
    AbstractObservable, Hermitian, PauliSum, Projector, heisenberg, hermitian, ising,
    pauli, pauli_sum, trotter,
)
from qjax.circuits.operation import (
    AbstractOperation, AbstractUnitary, Channel, Conditional, Controlled, Gate,
    GateSpec, Measure, Reset, Unitary, controlled, kraus_channel, unitary,
)
from qjax.circuits.resources import Resources
