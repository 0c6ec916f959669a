"""The numbers of a chain's plan: operator chains of layers, matrices of pairs."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from qjax.plan.chains import SWAP, Draws, Layer, Pairs, Placed, Step
from qjax.plan.strings import Split, Tables, split_pairs

Run = tuple[int, ...]
"""Rows of one-wire matrices in time order."""

Links = tuple[bool, bool]
"""Whether the links to the left and to the right are used."""

_SWAP_MATRIX = np.eye(4)[[0, 2, 1, 3]]


def run_products(
    singles: Complex[Array, "a 2 2"], runs: Sequence[Run]
) -> Complex[Array, "m 2 2"]:
    """Multiply the one-wire matrices of every run, the earliest rightmost."""
    longest = max((len(run) for run in runs), default=0)
    table = jnp.concatenate([singles, jnp.eye(2, dtype=singles.dtype)[None]])
    last = table.shape[0] - 1
    rows = np.full((longest, len(runs)), last, np.int32)
    for column, run in enumerate(runs):
        rows[: len(run), column] = run
    start = jnp.broadcast_to(table[last], (len(runs), 2, 2))

    def multiply(total: Array, own: Array) -> tuple[Array, None]:
        # Entry by entry: faster than many tiny matrix products.
        return jnp.sum(table[own][:, :, :, None] * total[:, None], axis=2), None

    return jax.lax.scan(multiply, start, jnp.asarray(rows))[0]


def pair_matrices(
    tables: Tables, placed: Sequence[Placed | None]
) -> Complex[Array, "m 4 4"]:
    """Return matrices on (left, right) neighbours, one-wire operations included.

    None stands for the identity.
    """
    dtype = tables.pairs.dtype
    constants = jnp.asarray(np.stack([np.eye(4), _SWAP_MATRIX]), dtype)
    stack = jnp.concatenate([tables.pairs, constants])
    identity, swap = stack.shape[0] - 2, stack.shape[0] - 1
    rows, turned, runs = [], [], []
    for item in placed:
        if item is None:
            rows.append(identity)
            turned.append(False)
            runs += [(), ()]
            continue
        rows.append(swap if item.piece.row == SWAP else item.piece.row)
        turned.append(item.piece.wires[0] > item.piece.wires[1])
        runs += item.before
    chosen = stack[np.asarray(rows, np.int32)]
    ones = run_products(tables.singles, runs).reshape(-1, 2, 2, 2)
    both = ones[:, 0, :, None, :, None] * ones[:, 1, None, :, None, :]
    blocks = jnp.matmul(
        chosen, both.reshape(-1, 4, 4), precision=jax.lax.Precision.HIGHEST
    ).reshape(-1, 2, 2, 2, 2)
    other = blocks.transpose(0, 2, 1, 4, 3)
    flags = np.asarray(turned)[:, None, None, None, None]
    return jnp.where(flags, other, blocks).reshape(-1, 4, 4)


def layer_operators(
    tables: Tables, layers: Sequence[Layer], num_sites: int, rank: int
) -> Complex[Array, "l n r r 2 2"]:
    """Write layers as operator chains with bonds of `rank`, all of them at once.

    On a site act at most two operations that use its links, each after a run of
    one-wire ones: W[k_left, k_right] = F_2[k_2] R_2 F_1[k_1] R_1, with k_1 and k_2 on
    the links that the operations use.
    """
    placed = [item for layer in layers for item in layer.placed]
    factors, first_rows = _layer_factors(tables, placed, rank)
    firsts = [num_sites * k for k, layer in enumerate(layers) for _ in layer.placed]
    sites = [_Site() for _ in range(len(layers) * num_sites)]
    for item, row, first in zip(placed, first_rows, firsts, strict=True):
        wires = item.piece.wires
        low, high = min(wires), max(wires)
        for wire in range(low, high + 1):
            site, left, right = sites[first + wire], wire > low, wire < high
            if wire in wires:
                place = wires.index(wire)
                site.add(row + place, item.before[place], left, right)
            else:
                site.add(1, (), left, right)
    dtype = tables.singles.dtype
    runs = run_products(tables.singles, [run for s in sites for run in s.runs()])
    runs = runs.reshape(len(sites), 2, 2, 2)
    chosen = factors[np.asarray([s.rows() for s in sites], np.int32)]
    high = jax.lax.Precision.HIGHEST
    acted = jnp.einsum("nfkab,nfbc->nfkac", chosen, runs, precision=high)
    both = jnp.einsum("nlab,nkbc->nklac", acted[:, 1], acted[:, 0], precision=high)
    # Few ways to use the links occur, however many sites there are.
    ways = list(dict.fromkeys(s.links() for s in sites))
    known = jnp.asarray(np.stack([_places(way, rank) for way in ways]), dtype)
    where = known[np.asarray([ways.index(s.links()) for s in sites], np.int32)]
    found = jnp.einsum("nxykl,nklab->nxyab", where, both, precision=high)
    return found.reshape(len(layers), num_sites, *found.shape[1:])


class _Site:
    """What a layer does on one site: up to two factors, and which links they use."""

    def __init__(self):
        self._items: list[tuple[int, Run, bool, bool]] = []

    def add(self, row: int, run: Run, left: bool, right: bool) -> None:
        """Add a factor by its row, with what comes before it and its links."""
        self._items.append((row, run, left, right))

    def _two(self) -> list[tuple[int, Run, bool, bool]]:
        return [*self._items, *[(0, (), False, False)] * (2 - len(self._items))]

    def rows(self) -> list[int]:
        """Rows of both factors; row 0 is the identity on no link."""
        return [row for row, _, _, _ in self._two()]

    def runs(self) -> list[Run]:
        """One-wire operations before each factor."""
        return [run for _, run, _, _ in self._two()]

    def links(self) -> tuple[Links, ...]:
        """Which links each factor uses."""
        return tuple((left, right) for _, _, left, right in self._two())


def _places(way: Sequence[Links], rank: int) -> Float[np.ndarray, "r r r r"]:
    """Mark which operator bonds (left, right) belong to which (k_1, k_2)."""
    found = np.zeros((rank,) * 4)
    for k in np.ndindex(rank, rank):
        bonds = [0, 0]
        fits = True
        for own, links in zip(k, way, strict=True):
            fits &= own == 0 or any(links)
            for side in (0, 1):
                bonds[side] += own if links[side] else 0
        if fits:
            found[(*bonds, *k)] = 1
    return found


def _layer_factors(
    tables: Tables, placed: Sequence[Placed], rank: int
) -> tuple[Complex[Array, "m r 2 2"], list[int]]:
    """Stack the factors of all operations; return the row of the first of each.

    Row 0 is the identity for k = 0 alone, row 1 the identity for every k.
    """
    dtype = tables.singles.dtype
    identity = np.eye(2)
    alone = np.zeros((rank, 2, 2))
    alone[0] = identity
    constants = np.stack([alone, np.broadcast_to(identity, (rank, 2, 2))])
    stacks, count = [jnp.asarray(constants, dtype)], 2
    rows = [0] * len(placed)
    groups: dict[Split | None, list[int]] = {}
    for number, item in enumerate(placed):
        groups.setdefault(item.piece.split, []).append(number)
    for split, members in groups.items():
        items = [placed[number].piece for number in members]
        if split is None:
            own = [
                np.arange(piece.row, piece.row + len(piece.wires)) for piece in items
            ]
            stack = tables.factors[np.concatenate(own)]
            sizes = [len(piece.wires) for piece in items]
        else:
            chosen = tables.pairs[np.asarray([piece.row for piece in items])]
            stack = jnp.stack(split_pairs(chosen, split), axis=1)
            stack = stack.reshape(-1, *stack.shape[2:])
            sizes = [2] * len(items)
        for number, size in zip(members, sizes, strict=True):
            rows[number] = count
            count += size
        padding = ((0, 0), (0, rank - stack.shape[1]), (0, 0), (0, 0))
        stacks.append(jnp.pad(stack, padding))
    return jnp.concatenate(stacks), rows


def draw_operators(
    tables: Tables, draws: Draws, num_sites: int
) -> Complex[Array, "n k 2 2"]:
    """Return the Kraus operators of every site, after the one-wire operations.

    A site without a random operation has the identity as its one operator.
    """
    outcomes = tables.kraus.shape[1]
    dtype = tables.kraus.dtype
    alone = jnp.zeros((1, outcomes, 2, 2), dtype).at[0, 0].set(jnp.eye(2, dtype=dtype))
    stack = jnp.concatenate([tables.kraus, alone])
    rows: list[int] = [stack.shape[0] - 1] * num_sites
    runs: list[Run] = [()] * num_sites
    for item in draws.placed:
        (site,) = item.piece.wires
        rows[site], (runs[site],) = item.piece.row, item.before
    chosen = stack[np.asarray(rows, np.int32)]
    before = run_products(tables.singles, runs)
    high = jax.lax.Precision.HIGHEST
    return jnp.einsum("nkab,nbc->nkac", chosen, before, precision=high)


def slots(steps: Sequence[Pairs]) -> int:
    """Return how many gates to do at once: the least work, idle slots counted.

    A step costs about as much as one more gate.
    """
    counts = [len(step.placed) for step in steps]

    def work(size: int) -> int:
        return sum(-(-count // size) for count in counts) * (size + 1)

    return min(range(1, max(counts) + 1), key=work)


def chunked(steps: Sequence[Step]) -> list[Step]:
    """Cut steps with more gates than there are slots into several."""
    pairs = [step for step in steps if isinstance(step, Pairs)]
    size = slots(pairs) if pairs else 1
    found: list[Step] = []
    for step in steps:
        if isinstance(step, Pairs):
            starts = range(0, len(step.placed), size)
            found += [Pairs(step.placed[start : start + size]) for start in starts]
        else:
            found.append(step)
    return found
