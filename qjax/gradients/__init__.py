"""Gradients beside reverse mode: shifted parameters, samples, trajectories, forward."""

from qjax.gradients.estimate import GradientEstimate as GradientEstimate
from qjax.gradients.forward import forward_gradient as forward_gradient
from qjax.gradients.parameter_shift import parameter_shift as parameter_shift
from qjax.gradients.parameter_shift import (
    sampled_parameter_shift as sampled_parameter_shift,
)
from qjax.gradients.score import score_gradient as score_gradient
from qjax.gradients.score import trajectory_gradient as trajectory_gradient
from qjax.gradients.shift_rules import ShiftRule as ShiftRule
from qjax.gradients.shift_rules import shift_rule as shift_rule
from qjax.gradients.spectra import frequencies as frequencies
from qjax.gradients.spsa import spsa as spsa
