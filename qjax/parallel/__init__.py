"""Many devices: states in shards, batches and trajectories side by side, clusters."""

from qjax.parallel.batches import average_trajectories as average_trajectories
from qjax.parallel.batches import map_batch as map_batch
from qjax.parallel.cluster import join_cluster as join_cluster
from qjax.parallel.energy import expectation as expectation
from qjax.parallel.executors import process_pool as process_pool
from qjax.parallel.mesh import device_mesh as device_mesh
from qjax.parallel.route import Route as Route
from qjax.parallel.route import plan_route as plan_route
from qjax.parallel.run import run as run
from qjax.parallel.sample import sample as sample
from qjax.parallel.state import ShardedState as ShardedState
