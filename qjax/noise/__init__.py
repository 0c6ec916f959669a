"""Noise: channels, models that put them into circuits, readout errors."""

from qjax.noise.channels import CHANNELS as CHANNELS
from qjax.noise.channels import ChannelSpec as ChannelSpec
from qjax.noise.channels import Parameter as Parameter
from qjax.noise.channels import build as build
from qjax.noise.damping import amplitude_damping as amplitude_damping
from qjax.noise.damping import (
    generalized_amplitude_damping as generalized_amplitude_damping,
)
from qjax.noise.damping import phase_damping as phase_damping
from qjax.noise.damping import reset_error as reset_error
from qjax.noise.damping import thermal_relaxation as thermal_relaxation
from qjax.noise.devices import BASIS as BASIS
from qjax.noise.devices import Calibration as Calibration
from qjax.noise.devices import Device as Device
from qjax.noise.devices import DeviceNoise as DeviceNoise
from qjax.noise.devices import GateNoise as GateNoise
from qjax.noise.devices import NativeGate as NativeGate
from qjax.noise.devices import NativeUse as NativeUse
from qjax.noise.devices import Qubit as Qubit
from qjax.noise.devices import RelaxationWarning as RelaxationWarning
from qjax.noise.devices import device_noise as device_noise
from qjax.noise.devices import list_devices as list_devices
from qjax.noise.devices import parse_google as parse_google
from qjax.noise.devices import parse_ibm as parse_ibm
from qjax.noise.devices import path_in as path_in
from qjax.noise.devices import read_google as read_google
from qjax.noise.devices import read_ibm as read_ibm
from qjax.noise.fidelity import average_infidelity as average_infidelity
from qjax.noise.model import Idling as Idling
from qjax.noise.model import NoiseModel as NoiseModel
from qjax.noise.pauli import bit_flip as bit_flip
from qjax.noise.pauli import bit_phase_flip as bit_phase_flip
from qjax.noise.pauli import depolarizing as depolarizing
from qjax.noise.pauli import mixed_unitary as mixed_unitary
from qjax.noise.pauli import pauli_channel as pauli_channel
from qjax.noise.pauli import phase_flip as phase_flip
from qjax.noise.pauli import two_qubit_depolarizing as two_qubit_depolarizing
from qjax.noise.readout import ReadoutConfusion as ReadoutConfusion
from qjax.noise.rules import Rule as Rule
from qjax.noise.unravel import draw_unitaries as draw_unitaries
