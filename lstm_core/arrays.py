"""The alias for NumPy's arrays that type hints use everywhere."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
