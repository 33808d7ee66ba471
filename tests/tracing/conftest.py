"""Which tests of this folder need PyTorch: without it they aren't collected, unless LSTM_LAB_TORCH_TESTS=required."""

from __future__ import annotations

import os
from importlib.util import find_spec

WITH_TORCH = ["test_torch_model.py"]
collect_ignore = [] if find_spec("torch") or os.environ.get("LSTM_LAB_TORCH_TESTS") == "required" else WITH_TORCH
