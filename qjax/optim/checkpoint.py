"""Checkpoints of a training run, written by orbax: whole or not at all."""

import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from jaxtyping import PyTree


class Checkpoints:
    """The newest checkpoint of a run, in a folder of its own.

    Args:
        folder: Made if it does not exist.
        like: Pytree of arrays that a checkpoint must have the shapes of.
    """

    def __init__(self, folder: pathlib.Path, like: PyTree):
        self._folder = pathlib.Path(folder).absolute()
        self._like = like
        options = ocp.CheckpointManagerOptions(
            max_to_keep=1, create=True, enable_async_checkpointing=False
        )
        self._manager = ocp.CheckpointManager(self._folder, options=options)

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *error: object) -> None:
        self._manager.close()

    def save(self, number: int, tree: PyTree) -> None:
        """Write a checkpoint; those before it are removed once it is complete."""
        self._manager.save(number, args=ocp.args.StandardSave(_named(tree)))

    def newest(self) -> PyTree | None:
        """Return the newest checkpoint, or None.

        Raises:
            ValueError: If it has other arrays, or cannot be read.
        """
        number = self._manager.latest_step()
        if number is None:
            return None
        try:
            found = self._manager.restore(number, args=ocp.args.StandardRestore())
        except Exception as error:
            raise ValueError(self._refusal("cannot be read")) from error
        expected = _named(self._like)
        for name in [*expected, *found]:
            if name in expected and name in found:
                continue
            where = "lacks" if name in expected else "has"
            raise ValueError(self._refusal(f"{where} {name}"))
        for name, leaf in expected.items():
            shape = np.shape(found[name])
            if shape != np.shape(leaf):
                told = f"has {name} of shape {shape} for {np.shape(leaf)}"
                raise ValueError(self._refusal(told))
        leaves, structure = jax.tree.flatten(self._like)
        values = [
            _as(old, found[name]) for name, old in zip(expected, leaves, strict=True)
        ]
        return jax.tree.unflatten(structure, values)

    def _refusal(self, reason: str) -> str:
        return (
            "Argument `checkpoint` must hold a run of the same model and optimizer, "
            f"but {self._folder} {reason}; remove it to start anew."
        )


def _named(tree: PyTree) -> dict[str, Any]:
    """Return the leaves by their paths, which say more in an error than an index."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): np.asarray(leaf)
        for path, leaf in leaves
    }


def _as(old: Any, value: Any) -> Any:
    """Return a value as the kind of array that was saved."""
    array = np.asarray(value)
    return array if isinstance(old, np.ndarray) else jnp.asarray(array, old.dtype)
