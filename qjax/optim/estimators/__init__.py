"""Estimators of a loss's gradient, and what each of them costs."""

from qjax.optim.estimators.base import AbstractEstimator as AbstractEstimator
from qjax.optim.estimators.base import Cost as Cost
from qjax.optim.estimators.base import GradientReport as GradientReport
from qjax.optim.estimators.base import HybridLoss as HybridLoss
from qjax.optim.estimators.exact import Autodiff as Autodiff
from qjax.optim.estimators.reuse import Reused as Reused
from qjax.optim.estimators.reuse import Subsampled as Subsampled
from qjax.optim.estimators.shift import ParameterShift as ParameterShift
from qjax.optim.estimators.spsa import SPSA as SPSA
