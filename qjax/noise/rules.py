"""Rules of a noise model: which operations, on which wires, bring which channels."""

import itertools
from collections.abc import Iterator, Sequence

import equinox as eqx

from qjax._checks import check_wires, require
from qjax._types import Wires
from qjax.circuits import Channel

_MOMENTS = ("gate", "measurement", "reset")


def _names(names: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    return (names,) if isinstance(names, str) else tuple(names)


def _places(wires: Sequence[int | Sequence[int]] | None) -> tuple[Wires, ...] | None:
    return None if wires is None else tuple(check_wires(place) for place in wires)


class Rule(eqx.Module):
    """Channels for the operations that match: after gates and resets, before readings.

    Channels are put on the operation's wires: one on a single wire on each of them in
    turn, one on as many wires as the operation has on these, in their order; the wires
    that it was built with do not matter. With `named_wires` each channel stays on the
    wires that it was built with, whether or not the operation touches them: so pairs
    differ by direction, and neighbours feel a gate.

    Measurements and resets of several wires match wire by wire.

    Attributes:
        channels: Channels in time order; none says that the operation is noiseless.
        names: Names of the gates that match, or None for every one. Static.
        wires: Tuples of wires that match, or None for all. Static.
        moment: "gate", "measurement" or "reset". Static.
        ordered: Whether the order in a tuple of `wires` matters. Static.
        min_wires: Least number of wires of a gate that matches. Static.
        max_wires: Greatest number, or None. Static.
        named_wires: Whether channels stay on their own wires. Static.
        duration: Time that the operation takes, in the unit of `Idling`. Static.

    Raises:
        ValueError: If a channel cannot fit on any operation that matches, `duration` is
            negative, or `moment` is none of the three.

    Example:
        >>> from qjax.circuits import Circuit, cx
        >>> from qjax.noise import NoiseModel, Rule, bit_flip, phase_flip
        >>> rules = [
        ...     Rule([bit_flip(0.1, 0)], names="CX", wires=[(0, 1)], ordered=False),
        ...     Rule([phase_flip(0.1, 2)], wires=[(1, 0)], named_wires=True),
        ... ]
        >>> noisy = NoiseModel(rules=rules)(Circuit([cx(1, 0)], num_wires=3))
        >>> [(operation.name, operation.wires) for operation in noisy.operations]
        [('CX', (1, 0)), ('BitFlip', (1,)), ('BitFlip', (0,)), ('PhaseFlip', (2,))]
    """

    channels: tuple[Channel, ...] = eqx.field(converter=tuple)
    names: tuple[str, ...] | None = eqx.field(
        static=True, converter=_names, default=None
    )
    wires: tuple[Wires, ...] | None = eqx.field(
        static=True, converter=_places, default=None
    )
    moment: str = eqx.field(static=True, default="gate", kw_only=True)
    ordered: bool = eqx.field(static=True, default=True, kw_only=True)
    min_wires: int = eqx.field(static=True, default=1, kw_only=True)
    max_wires: int | None = eqx.field(static=True, default=None, kw_only=True)
    named_wires: bool = eqx.field(static=True, default=False, kw_only=True)
    duration: float = eqx.field(static=True, converter=float, default=0.0, kw_only=True)

    def __check_init__(self):
        require(self.moment in _MOMENTS, "moment", f"be one of {_MOMENTS}", self.moment)
        require(self.duration >= 0, "duration", "be at least 0", self.duration)
        if self.moment != "gate":
            named = self.names is None
            require(named, "names", "be None for what is no gate", self.names)
        if not self.named_wires:
            most = self.widest
            for channel in self.channels:
                size = len(channel.wires)
                fits = most is None or size <= most
                require(fits, "channels", f"act on at most {most} wires", size)

    @property
    def widest(self) -> int | None:
        """Greatest number of wires of an operation that matches, or None."""
        return self.max_wires if self.moment == "gate" else 1

    def fits(self, wires: Wires) -> bool:
        """Whether the number of wires is one that matches."""
        most = self.widest
        return self.min_wires <= len(wires) and (most is None or len(wires) <= most)

    def placed(self, name: str, wires: Wires) -> Iterator[Channel]:
        """Yield the channels where an operation puts them."""
        for channel in self.channels:
            if self.named_wires:
                yield channel
            elif len(channel.wires) == 1:
                for wire in wires:
                    yield channel.on((wire,))
            else:
                rule = f"act on one wire, or on all of {name} on {wires},"
                fits = len(channel.wires) == len(wires)
                require(fits, "channels", rule, f"{channel.name} on {channel.wires}")
                yield channel.on(wires)


class RuleTable:
    """Rules by what they match, so that a look-up does not read them all."""

    def __init__(self, rules: Sequence[Rule]):
        self._rules = rules
        self._positions: dict[tuple, list[int]] = {}
        for position, rule in enumerate(rules):
            for name, wires in dict.fromkeys(_keys(rule)):
                key = rule.moment, name, wires
                self._positions.setdefault(key, []).append(position)

    def matching(self, moment: str, name: str, wires: Wires) -> list[Rule]:
        """The rules that an operation matches, in their order."""
        found: set[int] = set()
        for key in itertools.product((moment,), (name, None), (wires, None)):
            found.update(self._positions.get(key, ()))
        rules = [self._rules[position] for position in sorted(found)]
        return [rule for rule in rules if rule.fits(wires)]

    def refuse(self, moment: str, name: str, wires: Wires) -> None:
        """Raise because no rule matches, and name what rules there are."""
        keys = [key[1:] for key in self._positions if key[0] == moment]
        places = [place for known, place in keys if known in (name, None) and place]
        if places:
            rule = f"use {name} on wires that a rule is for ({_listed(places)})"
            require(False, "circuit", rule, f"using it on {wires}")
        known = _listed([name for name, _ in keys if name]) or "no gates"
        rule = f"use operations that a rule is for ({known})"
        require(False, "circuit", rule, f"using {name} on {wires}")


def _keys(rule: Rule) -> Iterator[tuple[str | None, Wires | None]]:
    for name in (None,) if rule.names is None else rule.names:
        if rule.wires is None:
            yield name, None
        else:
            for wires in rule.wires:
                orders = [wires] if rule.ordered else itertools.permutations(wires)
                yield from ((name, order) for order in orders)


def _listed(values: Sequence[object], most: int = 24) -> str:
    distinct = list(dict.fromkeys(map(str, values)))
    more = ["..."] if len(distinct) > most else []
    return ", ".join(distinct[:most] + more)
