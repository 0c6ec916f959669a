"""What every test runs under: strict promotion, fixed keys, 32 bits unless asked."""

import gc
import math
import os
import pathlib
import zlib
from collections.abc import Callable, Iterator

# Before JAX starts its backend: tests are about the CPU unless the caller says
# otherwise, parallel workers must not each spread over all the cores, and most time
# goes into compiling. `make test-slow` compiles as users do.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "Agg")
# Threads of LAPACK wait for each other where workers share the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
if "PYTEST_XDIST_WORKER" in os.environ:
    flags = (
        "--xla_cpu_multi_thread_eigen=false --xla_backend_optimization_level=0 "
        "--xla_cpu_parallel_codegen_split_count=1 --xla_cpu_use_fusion_emitters=false"
    )
    os.environ.setdefault("XLA_FLAGS", flags)

import hypothesis
import jax
import pytest
from jaxtyping import PRNGKeyArray

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

_quiet = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large]
hypothesis.settings.register_profile(
    "local", deadline=None, max_examples=30, suppress_health_check=_quiet
)
hypothesis.settings.register_profile(
    "ci", parent=hypothesis.settings.get_profile("local"), derandomize=True
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")

# Tracing makes objects by the million and hardly a cycle: look for those less often.
gc.set_threshold(100_000, 50, 100)

_SEED = pytest.StashKey[int]()


class KeySource:
    """A fresh JAX key at each call, all from one seed: `getkey()`, `getkey()`, ..."""

    def __init__(self, seed: int):
        self.seed = seed
        self.count = 0

    def __call__(self) -> PRNGKeyArray:
        self.count += 1
        return jax.random.fold_in(jax.random.key(self.seed), self.count)


@pytest.fixture
def getkey(request: pytest.FixtureRequest) -> KeySource:
    """Keys that depend on the test's name only, so order and workers do not matter.

    `QJAX_TEST_SEED=<number>` replaces the seed, to see whether a test's outcome
    hangs on it; the report of a failing test names the seed it ran with.
    """
    given = os.environ.get("QJAX_TEST_SEED")
    seed = int(given) if given else zlib.crc32(request.node.nodeid.encode())
    request.node.stash[_SEED] = seed
    return KeySource(seed)


@pytest.fixture
def key(getkey: Callable[[], PRNGKeyArray]) -> PRNGKeyArray:
    """The first key of `getkey`, for tests that need one."""
    return getkey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    report = yield
    if report.failed and _SEED in item.stash:
        seed = item.stash[_SEED]
        report.sections.append(("key seed", f"QJAX_TEST_SEED={seed} repeats this run"))
    return report


@pytest.fixture(autouse=True)
def precision(request: pytest.FixtureRequest) -> Iterator[None]:
    """32-bit types, or 64-bit ones for `@pytest.mark.x64` and for the fixture `x64`.

    JAX keys its compilation caches on this setting, so the two do not mix.
    """
    marked = request.node.get_closest_marker("x64") is not None
    with jax.enable_x64(marked or "x64" in request.fixturenames):
        yield


@pytest.fixture
def x64() -> None:
    """Run the test with 64-bit types; `precision` does the work.

    Under hypothesis use the mark, since hypothesis distrusts fixtures of this scope.
    """


@pytest.fixture(autouse=True, scope="module")
def bounded_memory() -> Iterator[None]:
    """Compiled programs are dropped between files, once they take too much memory."""
    yield
    if _resident_bytes() > _ENOUGH:
        jax.clear_caches()
        gc.collect()


_ENOUGH = 2 * 2**30


def _resident_bytes() -> float:
    """Memory of this process; infinite where the system does not say."""
    pages = pathlib.Path("/proc/self/statm")
    if not pages.exists():
        return math.inf
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
