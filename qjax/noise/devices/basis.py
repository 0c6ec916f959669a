"""How often a gate of a circuit uses a gate of the device."""

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from qjax._types import Wires


class NativeUse(NamedTuple):
    """So many uses of one of the device's own gates.

    Attributes:
        gate: Name of the device's gate.
        times: Number of uses, one after another.
    """

    gate: str
    times: int


#: From a gate's name to the ways of doing it, of which the first that the device has
#: on those wires counts; none means a frame change, without time or error.
Basis = Mapping[str, tuple[NativeUse, ...]]


def _pairs(cx: int, iswap: int) -> tuple[NativeUse, ...]:
    """Uses of a gate that is CX up to one-qubit gates, or of sqrt(iSWAP)."""
    like_cx = (NativeUse(gate, cx) for gate in ("cx", "ecr", "cz"))
    return (*like_cx, NativeUse("sqrt_iswap", iswap))


def _singles(ibm: NativeUse, *older: NativeUse) -> tuple[NativeUse, ...]:
    return (ibm, *older, NativeUse("phased_xz", 1))


_HALF_TURN = _singles(NativeUse("x", 1), NativeUse("u3", 1), NativeUse("u", 1))
_QUARTER_TURN = _singles(NativeUse("sx", 1), NativeUse("u2", 1))
_ANY_TURN = _singles(NativeUse("sx", 2), NativeUse("u3", 1), NativeUse("u", 1))

BASIS: Basis = {
    **dict.fromkeys(("Z", "S", "SDG", "T", "TDG", "RZ", "PHASE"), ()),
    "I": _singles(NativeUse("id", 1)),
    **dict.fromkeys(("X", "Y"), _HALF_TURN),
    **dict.fromkeys(("SX", "SXDG", "H"), _QUARTER_TURN),
    **dict.fromkeys(("RX", "RY", "U3"), _ANY_TURN),
    **dict.fromkeys(("CX", "CY", "CZ"), _pairs(1, 2)),
    **dict.fromkeys(("CPHASE", "CRX", "CRY", "CRZ"), _pairs(2, 2)),
    **dict.fromkeys(("RXX", "RYY", "RZZ"), _pairs(2, 2)),
    **dict.fromkeys(("ISWAP", "ISWAPDG"), _pairs(2, 2)),
    "SWAP": _pairs(3, 3),
}
"""Rotations about Z change the frame of later pulses. A turn of pi or pi / 2 about an
axis of the equator, and H up to frame changes, is one pulse; any other one-qubit gate
is two sx pulses. CX, CY, CZ are one use of cx, ecr or cz; SWAP is three, the others
two (Vidal and Dawson, Phys. Rev. A 69, 010301 (2004)); sqrt(iSWAP) needs two, or three
for SWAP (Huang et al., Phys. Rev. Lett. 130, 070601 (2023)). One-qubit gates around
them are not counted: where they matter, write them into the circuit.
"""


def first_way(
    uses: Iterable[NativeUse], wires: Wires, usable: Container[tuple[str, Wires]]
) -> tuple[str, Wires, int] | None:
    """The first use of which the device has the gate, on the wires or reversed."""
    for use in uses:
        for at in (wires, wires[::-1]):
            if (use.gate, at) in usable:
                return use.gate, at, use.times
    return None
