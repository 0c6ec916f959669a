"""The geometry of parametrised pure states: the Fubini-Study metric."""

from qjax.geometry.circuits import circuit_metric as circuit_metric
from qjax.geometry.states import metric_tensor as metric_tensor
from qjax.geometry.states import metric_vp as metric_vp
