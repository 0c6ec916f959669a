"""Optimisation: natural gradient for optax, and a training loop."""

from qjax.optim.damping import AbstractDamping as AbstractDamping
from qjax.optim.damping import Fixed as Fixed
from qjax.optim.damping import LevenbergMarquardt as LevenbergMarquardt
from qjax.optim.damping import Spectral as Spectral
from qjax.optim.natural import qng as qng
from qjax.optim.natural import scale_by_metric as scale_by_metric
from qjax.optim.natural import scale_by_metric_product as scale_by_metric_product
from qjax.optim.natural import scale_by_sampled_metric as scale_by_sampled_metric
from qjax.optim.pruning import Pruned as Pruned
from qjax.optim.pruning import entangler_importance as entangler_importance
from qjax.optim.pruning import prune_entanglers as prune_entanglers
from qjax.optim.schedules import depth_schedule as depth_schedule
from qjax.optim.training import History as History
from qjax.optim.training import fit as fit
