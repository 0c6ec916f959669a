"""Many devices: states in shards, batches and trajectories side by side, clusters."""

from qjax.parallel.energy import expectation as expectation
from qjax.parallel.mesh import device_mesh as device_mesh
from qjax.parallel.route import plan_route as plan_route
from qjax.parallel.run import run as run
from qjax.parallel.state import ShardedState as ShardedState
