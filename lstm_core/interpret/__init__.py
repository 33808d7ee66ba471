"""Analyses of trained networks: check-up, unit probes, ablation, activation search, state patching, gradients."""

from lstm_core.interpret.ablation import Ablation, ablate
from lstm_core.interpret.activation_search import ACTIVATION_THRESHOLD, find_moments, initial_timestep
from lstm_core.interpret.alignment import align_readings, first_divergence, memory_difference
from lstm_core.interpret.diagnosis import NAMES as CHECKS
from lstm_core.interpret.diagnosis import Checkup, Finding, OutputOf, checkup, is_network, read_data
from lstm_core.interpret.forecast_probe import SERIES_SIGNALS, best_follower, series_signal, standardised
from lstm_core.interpret.gate_contrast import Contrast, forgetting_contrast, input_contrast, writing_contrast
from lstm_core.interpret.gradient_clipping import TrainingRun, training_run
from lstm_core.interpret.gradient_flow import (
    ErrorFlow,
    Flow,
    Saturation,
    error_flow,
    initial_flows,
    matrix_powers,
    power_norms,
    random_matrix,
    recurrent_weights,
    saturation,
    scalar_powers,
    trained_flows,
)
from lstm_core.interpret.occlusion import occlude
from lstm_core.interpret.state_patching import (
    PatchingResult,
    erase_units,
    patch_states,
    scale_state,
    swap_state,
    words_when_scaled,
)
from lstm_core.interpret.toy_rnn import SYMBOLS, TRAINED_LENGTH, TRAINED_UNITS
from lstm_core.interpret.unit_correlation import readable_units_from_card

__all__ = [
    "ACTIVATION_THRESHOLD",
    "CHECKS",
    "SERIES_SIGNALS",
    "SYMBOLS",
    "TRAINED_LENGTH",
    "TRAINED_UNITS",
    "Ablation",
    "Checkup",
    "Contrast",
    "ErrorFlow",
    "Finding",
    "Flow",
    "OutputOf",
    "PatchingResult",
    "Saturation",
    "TrainingRun",
    "ablate",
    "align_readings",
    "best_follower",
    "checkup",
    "erase_units",
    "error_flow",
    "find_moments",
    "first_divergence",
    "forgetting_contrast",
    "initial_flows",
    "initial_timestep",
    "input_contrast",
    "is_network",
    "matrix_powers",
    "memory_difference",
    "occlude",
    "patch_states",
    "power_norms",
    "random_matrix",
    "read_data",
    "readable_units_from_card",
    "recurrent_weights",
    "saturation",
    "scalar_powers",
    "scale_state",
    "series_signal",
    "standardised",
    "swap_state",
    "trained_flows",
    "training_run",
    "words_when_scaled",
    "writing_contrast",
]
