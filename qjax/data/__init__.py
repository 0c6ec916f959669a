"""Data sets: found or fetched once, checked byte for byte, returned as NumPy arrays."""

from qjax.data.cache import DataError, data_root
from qjax.data.calibrations import fetch_calibrations
from qjax.data.fashion import FashionMNIST, fashion_mnist, fetch_fashion_mnist

__all__ = [
    "DataError",
    "FashionMNIST",
    "data_root",
    "fashion_mnist",
    "fetch_calibrations",
    "fetch_fashion_mnist",
]
