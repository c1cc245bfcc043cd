"""The dump cell for tests, and what they ask of its values and files."""

import math

import numpy as np
from dump_cell import run_cell
from side_by_side import watched

__all__ = ["flip", "run_cell", "same", "watched"]


def same(one, two):
    """Whether two values are equal, of one type, all the way down; NaN equals NaN."""
    if type(one) is not type(two):
        return False
    if isinstance(one, np.ndarray):
        if (one.dtype, one.shape) != (two.dtype, two.shape):
            return False
        if one.dtype.hasobject:
            return same(one.reshape(-1).tolist(), two.reshape(-1).tolist())
        return one.tobytes() == two.tobytes()
    if isinstance(one, dict):
        return same(list(one.items()), list(two.items()))
    if isinstance(one, (list, tuple)):
        return len(one) == len(two) and all(map(same, one, two))
    return one == two or (isinstance(one, float) and math.isnan(one) and math.isnan(two))


def flip(path, offset, bit=3):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1 << bit]))
