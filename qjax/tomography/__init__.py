"""Tomography: states, processes and readout errors estimated from shots."""

from qjax.tomography.estimates import ProcessEstimate as ProcessEstimate
from qjax.tomography.estimates import StateEstimate as StateEstimate
from qjax.tomography.estimates import exact_transfer as exact_transfer
from qjax.tomography.estimates import fit_process as fit_process
from qjax.tomography.estimates import fit_state as fit_state
from qjax.tomography.experiments import process_circuits as process_circuits
from qjax.tomography.experiments import readout_circuits as readout_circuits
from qjax.tomography.experiments import sample_counts as sample_counts
from qjax.tomography.experiments import state_circuits as state_circuits
from qjax.tomography.projection import ProjectionInfo as ProjectionInfo
from qjax.tomography.projection import nearest_channel as nearest_channel
from qjax.tomography.projection import nearest_state as nearest_state
from qjax.tomography.readout import ReadoutEstimate as ReadoutEstimate
from qjax.tomography.readout import ReadoutMatrixEstimate as ReadoutMatrixEstimate
from qjax.tomography.readout import fit_readout as fit_readout
from qjax.tomography.readout import fit_readout_matrix as fit_readout_matrix
