"""Matrix product states: chains of tensors with bounded bonds."""

from qjax.states.mps.state import MPS as MPS
