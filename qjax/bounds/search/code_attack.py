"""Attack on the strong converse: codes that are told apart too well after noise."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax._checks import require
from qjax._types import Key
from qjax.bounds.memory.array_records import array_record
from qjax.bounds.memory.ensembles import projectors
from qjax.bounds.memory.stored_codes import RANDOM_QUBITS
from qjax.bounds.search.ascent import ascend, gaussian_start
from qjax.bounds.search.layer_maps import apply_layer, find_noise, layer_map
from qjax.bounds.search.parametrise import kets, povms


class CodeObjective(eqx.Module):
    """M p: how many messages' worth of right answers a code and its POVM give."""

    layer: Complex[Array, "dd dd"]

    def __call__(self, params, progress) -> Float[Array, ""]:
        states = apply_layer(self.layer, projectors(kets(params["kets"])))
        tests = povms(params["povm"])
        return jnp.einsum("kij,kji->", tests, states).real


@eqx.filter_jit
def _code(params: Mapping[str, Array]) -> tuple[Array, Array]:
    return kets(params["kets"]), povms(params["povm"])


def attack_code(
    key: Key,
    messages: int,
    strengths: Mapping[str, float],
    *,
    noise: str = "depolarizing",
    restarts: int = 16,
    steps: int = 300,
) -> dict[str, Any]:
    """Search for pure states of two qubits and a POVM that recover a message too often.

    Maximises p = (1/M) sum_k Tr E_k N(|psi_k><psi_k|) after one layer of noise.

    Args:
        key: JAX random key.
        messages: M >= 2.
        strengths: Parameters of one layer of noise by name.
        noise: A key of `MEMORY_NOISES`, storage noise.
        restarts: Random starts.
        steps: Steps of Adam; L-BFGS follows.

    Returns:
        The best code as a record that `replay_code` reads.

    Raises:
        ValueError: If an argument is out of range or 64-bit types are off.

    Source: theory of bounds, section 3 (A8).

    Example:
        >>> import jax
        >>> from qjax.bounds.memory.stored_codes import replay_code
        >>> from qjax.bounds.search import attack_code
        >>> with jax.enable_x64(True):
        ...     found = attack_code(jax.random.key(1), 2, {"lam": 0.5}, restarts=2,
        ...                         steps=100)
        >>> replay_code(found)["p"] <= 1
        True
    """
    require(messages >= 2, "messages", "be at least 2", messages)
    row = find_noise(noise, strengths)
    size = 2**RANDOM_QUBITS
    start = gaussian_start(
        {"kets": (2, messages, size), "povm": (2, messages, size, size)}
    )
    objective = CodeObjective(layer_map(row, strengths, RANDOM_QUBITS))
    found = ascend(key, objective, start, restarts=restarts, steps=steps)
    states, tests = _code(jax.tree.map(jnp.asarray, found.best_params))
    return {
        "noise": noise, "kets": array_record(np.asarray(states)),
        "tests": array_record(np.asarray(tests)),
        **{name: float(value) for name, value in strengths.items()},
    }  # fmt: skip
