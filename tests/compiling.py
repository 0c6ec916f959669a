"""jit for tests that compile many programs and run each of them once."""

import functools

import jax

# Optimising a program that runs once costs more than it gives; the results differ by
# rounding only.
quick_jit = functools.partial(
    jax.jit,
    compiler_options={
        "xla_backend_optimization_level": 0,
        "xla_llvm_disable_expensive_passes": True,
    },
)
