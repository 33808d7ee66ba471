"""Traces of whole networks: every recurrent layer of a Keras or PyTorch network, at every timestep of a batch.

`nn` traces one layer over one sequence; this package follows networks that people have built elsewhere.
"""

from lstm_core.tracing.model_trace import ModelTrace, RecurrentTrace

__all__ = ["ModelTrace", "RecurrentTrace"]
