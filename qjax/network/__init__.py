"""Tensor networks of circuits: exact values of wide shallow circuits.

`qjax.network.nodes` reads and writes the node graphs of the package `tensornetwork`.
"""

from qjax.network.circuit import amplitude_network as amplitude_network
from qjax.network.circuit import average_network as average_network
from qjax.network.cone import light_cone as light_cone
from qjax.network.contract import contract as contract
from qjax.network.measure import amplitude as amplitude
from qjax.network.measure import amplitudes as amplitudes
from qjax.network.measure import expectation as expectation
from qjax.network.measure import marginal as marginal
from qjax.network.measure import reduced as reduced
from qjax.network.network import Network as Network
from qjax.network.plan import ContractionPlan as ContractionPlan
from qjax.network.plan import plan_contraction as plan_contraction
