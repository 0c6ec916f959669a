"""Noise of real devices, from the numbers that their vendors publish."""

from qjax.noise.devices.basis import BASIS as BASIS
from qjax.noise.devices.basis import NativeUse as NativeUse
from qjax.noise.devices.build import DeviceNoise as DeviceNoise
from qjax.noise.devices.build import device_noise as device_noise
from qjax.noise.devices.calibration import Calibration as Calibration
from qjax.noise.devices.calibration import NativeGate as NativeGate
from qjax.noise.devices.calibration import Qubit as Qubit
from qjax.noise.devices.catalogue import NOT_REAL as NOT_REAL
from qjax.noise.devices.catalogue import Device as Device
from qjax.noise.devices.catalogue import list_devices as list_devices
from qjax.noise.devices.google import (
    infidelity_of_pauli_error as infidelity_of_pauli_error,
)
from qjax.noise.devices.google import parse_google as parse_google
from qjax.noise.devices.google import parse_specification as parse_specification
from qjax.noise.devices.google import read_google as read_google
from qjax.noise.devices.ibm import parse_ibm as parse_ibm
from qjax.noise.devices.ibm import read_ibm as read_ibm
from qjax.noise.devices.paths import path_in as path_in
from qjax.noise.devices.strength import GateNoise as GateNoise
from qjax.noise.devices.strength import RelaxationWarning as RelaxationWarning
