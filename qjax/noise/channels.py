"""The channel table: what there is, on how many wires, with which ranges.

Builders of the rows can be imported from here too.
"""

import dataclasses
from collections.abc import Callable, Sequence

from qjax._checks import check_wires, require
from qjax._types import ArrayLike, Wires
from qjax.circuits import Channel
from qjax.noise.damping import (
    amplitude_damping,
    generalized_amplitude_damping,
    phase_damping,
    reset_error,
    thermal_relaxation,
)
from qjax.noise.pauli import (
    bit_flip,
    bit_phase_flip,
    depolarizing,
    pauli_channel,
    phase_flip,
    two_qubit_depolarizing,
)


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A strength of a channel and its range, both ends included.

    Attributes:
        name: Name of the builder's argument.
        low: Smallest value.
        high: Largest value, possibly infinite.
    """

    name: str
    low: float = 0.0
    high: float = 1.0


@dataclasses.dataclass(frozen=True)
class ChannelSpec:
    """One row of the channel table.

    Attributes:
        name: Name of the channel and of its builder.
        num_wires: Number of wires it acts on.
        parameters: Strengths in the order of the builder's arguments.
        builder: Maps the strengths and the wires to a `Channel`.
        source: Where the definition stands.
        joint_rule: What the strengths must satisfy together; empty if nothing.
    """

    name: str
    num_wires: int
    parameters: tuple[Parameter, ...]
    builder: Callable[..., Channel]
    source: str
    joint_rule: str = ""


_NIELSEN = "Nielsen and Chuang, section 8.3"
_P = (Parameter("probability"),)
_TIME = float("inf")

CHANNELS: dict[str, ChannelSpec] = {
    spec.name: spec
    for spec in (
        ChannelSpec("bit_flip", 1, _P, bit_flip, _NIELSEN),
        ChannelSpec("phase_flip", 1, _P, phase_flip, _NIELSEN),
        ChannelSpec("bit_phase_flip", 1, _P, bit_phase_flip, _NIELSEN),
        ChannelSpec(
            "pauli_channel",
            1,
            (Parameter("px"), Parameter("py"), Parameter("pz")),
            pauli_channel,
            _NIELSEN,
            "px + py + pz <= 1",
        ),
        ChannelSpec("depolarizing", 1, _P, depolarizing, _NIELSEN),
        ChannelSpec("two_qubit_depolarizing", 2, _P, two_qubit_depolarizing, _NIELSEN),
        ChannelSpec(
            "amplitude_damping", 1, (Parameter("gamma"),), amplitude_damping, _NIELSEN
        ),
        ChannelSpec(
            "generalized_amplitude_damping",
            1,
            (Parameter("gamma"), Parameter("excited_population")),
            generalized_amplitude_damping,
            _NIELSEN,
        ),
        ChannelSpec("phase_damping", 1, (Parameter("gamma"),), phase_damping, _NIELSEN),
        ChannelSpec(
            "thermal_relaxation",
            1,
            (
                Parameter("t1", 0.0, _TIME),
                Parameter("t2", 0.0, _TIME),
                Parameter("time", 0.0, _TIME),
                Parameter("excited_population"),
            ),
            thermal_relaxation,
            "Georgopoulos et al., Phys. Rev. A 104, 062432 (2021)",
            "0 < t2 <= 2 t1",
        ),
        ChannelSpec(
            "reset_error",
            1,
            (Parameter("p0"), Parameter("p1")),
            reset_error,
            "Kraus operators sqrt(p_b) |b><a|",
            "p0 + p1 <= 1",
        ),
    )
}


def build(name: str, strengths: Sequence[ArrayLike], wires: int | Wires) -> Channel:
    """Build the channel of a row of `CHANNELS`.

    Args:
        name: Name of the row.
        strengths: Values of its parameters, in order.
        wires: Wire or wires acted on.

    Raises:
        ValueError: If there is no such row, the number of strengths or wires is not
            the row's, or a strength leaves its range.

    Example:
        >>> from qjax.noise import build
        >>> build("depolarizing", (0.1,), 2).wires
        (2,)
    """
    require(name in CHANNELS, "name", f"be one of {sorted(CHANNELS)}", repr(name))
    spec, wires = CHANNELS[name], check_wires(wires)
    rule = f"have {spec.num_wires} entries for {name}"
    require(len(wires) == spec.num_wires, "wires", rule, wires)
    rule = f"have {len(spec.parameters)} entries for {name}"
    require(len(strengths) == len(spec.parameters), "strengths", rule, strengths)
    return spec.builder(*strengths, wires[0] if spec.num_wires == 1 else wires)
