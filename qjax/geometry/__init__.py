"""The geometry of parametrised states: Fubini-Study metric and Fisher information."""

from qjax.geometry.circuits import circuit_metric as circuit_metric
from qjax.geometry.fisher import classical_fisher as classical_fisher
from qjax.geometry.fisher import quantum_fisher as quantum_fisher
from qjax.geometry.fisher import sampled_classical_fisher as sampled_classical_fisher
from qjax.geometry.metrics import AbstractMetric as AbstractMetric
from qjax.geometry.metrics import BlockMetric as BlockMetric
from qjax.geometry.metrics import DenseMetric as DenseMetric
from qjax.geometry.metrics import DiagonalMetric as DiagonalMetric
from qjax.geometry.metrics import LowRankMetric as LowRankMetric
from qjax.geometry.redundant import parameter_names as parameter_names
from qjax.geometry.redundant import redundant_parameters as redundant_parameters
from qjax.geometry.sampled import random_metric as random_metric
from qjax.geometry.sampled import sampled_metric as sampled_metric
from qjax.geometry.states import metric_tensor as metric_tensor
from qjax.geometry.states import metric_vp as metric_vp
from qjax.geometry.structured import block_metric as block_metric
from qjax.geometry.structured import diagonal_metric as diagonal_metric
from qjax.geometry.structured import low_rank_metric as low_rank_metric
