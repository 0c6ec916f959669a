"""Noise: channels, models that put them into circuits, readout errors."""

from qjax.noise._rewrite import CoherentError as CoherentError
from qjax.noise.bath import Bath as Bath
from qjax.noise.channels import CHANNELS as CHANNELS
from qjax.noise.channels import ChannelSpec as ChannelSpec
from qjax.noise.channels import Parameter as Parameter
from qjax.noise.channels import build as build
from qjax.noise.coherent import AxisTilt as AxisTilt
from qjax.noise.coherent import OverRotation as OverRotation
from qjax.noise.coherent import TiltedGate as TiltedGate
from qjax.noise.crosstalk import Background as Background
from qjax.noise.crosstalk import Crosstalk as Crosstalk
from qjax.noise.crosstalk import correlated_pauli as correlated_pauli
from qjax.noise.crosstalk import zz_crosstalk as zz_crosstalk
from qjax.noise.damping import amplitude_damping as amplitude_damping
from qjax.noise.damping import (
    generalized_amplitude_damping as generalized_amplitude_damping,
)
from qjax.noise.damping import phase_damping as phase_damping
from qjax.noise.damping import reset_error as reset_error
from qjax.noise.damping import thermal_relaxation as thermal_relaxation
from qjax.noise.drift import drift as drift
from qjax.noise.drift import num_steps as num_steps
from qjax.noise.drift import one_over_f as one_over_f
from qjax.noise.drift import ornstein_uhlenbeck as ornstein_uhlenbeck
from qjax.noise.drift import random_telegraph as random_telegraph
from qjax.noise.fidelity import average_gate_fidelity as average_gate_fidelity
from qjax.noise.fidelity import pauli_twirl as pauli_twirl
from qjax.noise.fidelity import process_fidelity as process_fidelity
from qjax.noise.fidelity import unitarity as unitarity
from qjax.noise.model import NoiseModel as NoiseModel
from qjax.noise.pauli import bit_flip as bit_flip
from qjax.noise.pauli import bit_phase_flip as bit_phase_flip
from qjax.noise.pauli import depolarizing as depolarizing
from qjax.noise.pauli import mixed_unitary as mixed_unitary
from qjax.noise.pauli import pauli_channel as pauli_channel
from qjax.noise.pauli import phase_flip as phase_flip
from qjax.noise.pauli import two_qubit_depolarizing as two_qubit_depolarizing
from qjax.noise.readout import ReadoutConfusion as ReadoutConfusion
from qjax.noise.representations import choi_from_kraus as choi_from_kraus
from qjax.noise.representations import choi_from_transfer as choi_from_transfer
from qjax.noise.representations import kraus_from_choi as kraus_from_choi
from qjax.noise.representations import transfer_from_choi as transfer_from_choi
from qjax.noise.representations import transfer_matrix as transfer_matrix
from qjax.noise.unravel import draw_unitaries as draw_unitaries
