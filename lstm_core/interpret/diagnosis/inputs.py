"""Whether the inputs have the scale that the gates can use.

Weights are initialized for inputs of mean 0 and variance 1 (LeCun et al. 1998, section 4.3): then the input sums W·x
lie where a sigmoid is close to linear. Inputs of hundreds saturate all gates at the first step.
"""

from __future__ import annotations

import numpy as np

from lstm_core.arrays import Array
from lstm_core.interpret.diagnosis.finding import Finding, Severity
from lstm_core.interpret.diagnosis.observed import Observed, number, share
from lstm_core.nn.trace import PARTS

LARGE = 10.0  # a feature of a larger root mean square isn't scaled: it is ten times what initializers assume
LINEAR = 4.0  # beyond ±4 the derivative of a sigmoid is below 0.018, a fourteenth of its largest
MOSTLY, SOMETIMES = 0.5, 0.1  # shares of input sums beyond that range
WEAK = 0.02  # input sums that vary less move a gate by 0.005 at most
UNEVEN = 100.0  # a feature this many times larger than the median one drowns it
BINS = 60
SOURCE = "LeCun, Bottou, Orr & Müller 1998"
SCALE_THEM = (
    "Scale each input feature to mean 0 and standard deviation 1 over the training data (or to 0…1), keep the numbers "
    "with the model, and train again."
)
ENLARGE_THEM = (
    "Scale numbers to standard deviation 1. An embedding that has hardly moved from its initial values needs a higher "
    "learning rate or longer training; check, too, that most of the timesteps aren't padding."
)


def input_scale(layer: Observed) -> Finding:
    """The size of each feature, and how far the input sums reach beyond the gates' linear range.

    Arrays: `size` (features,) root mean square where a feature isn't 0; `edges` (BINS + 1,) and `counts` (BINS,) of
    all input sums without their bias.
    """
    read = layer.in_order(layer.trace.inputs)[layer.in_order(layer.trace.mask)]  # (steps, features)
    missing = float(1 - np.isfinite(read).mean()) if read.size else 0.0
    x = layer.rows(layer.trace.inputs).astype(np.float64, copy=False)
    size = _sizes(x)
    largest, median = float(size.max(initial=0.0)), float(np.median(size[size > 0])) if (size > 0).any() else 0.0
    sums = np.concatenate([np.asarray(layer.sums(part)["inputs"]) for part in PARTS[layer.kind]], axis=1)
    outside = float((np.abs(sums) > LINEAR).mean()) if sums.size else 0.0
    spread = float(np.median(sums.std(axis=0))) if sums.size else 0.0
    feature = int(size.argmax()) if size.size else 0
    numbers = {
        "largest": largest,
        "feature": feature,
        "median": median,
        "outside": outside,
        "spread": spread,
        "missing": missing,
    }
    severity, sentence, advice = _judged(numbers)
    reach = max(2 * LINEAR, float(np.quantile(np.abs(sums), 0.995))) if sums.size else 2 * LINEAR
    counts, edges = np.histogram(np.clip(sums, -reach, reach), BINS, (-reach, reach))
    arrays = {"size": size, "edges": edges, "counts": counts}
    return Finding("input scale", layer.trace.name, severity, sentence, advice, SOURCE, numbers, arrays)


def _sizes(x: Array) -> Array:
    """(features,) root mean squares over the rows where a feature isn't 0, so that a rare one counts as it is."""
    there = np.maximum((x != 0).sum(axis=0), 1)
    return np.sqrt(np.square(x).sum(axis=0) / there)


def _judged(numbers: dict[str, float]) -> tuple[Severity, str, str]:
    largest, outside = number(numbers["largest"]), share(numbers["outside"])
    if numbers["missing"]:
        sentence = f"{share(numbers['missing'])} of the input values are not finite numbers (NaN or infinite)."
        return "fault", sentence, "Replace missing values before the network reads them, or mask those timesteps."
    beyond = f"{outside} of the input sums W·x lie beyond ±{LINEAR:g}, where a gate no longer follows its input"
    if numbers["largest"] > LARGE and numbers["outside"] > SOMETIMES:
        severity: Severity = "fault" if numbers["outside"] > MOSTLY else "worth a look"
        which = f"feature {int(numbers['feature'])} has a root mean square of {largest}"
        if numbers["largest"] > UNEVEN * numbers["median"] > 0:
            which += f" (the median one {number(numbers['median'])})"
        return severity, f"The inputs aren't scaled: {which}, and {beyond}.", SCALE_THEM
    if numbers["largest"] > LARGE and numbers["largest"] > UNEVEN * numbers["median"] > 0:
        sentence = f"The largest input feature has a root mean square of {largest}, the median one only "
        return "worth a look", sentence + f"{number(numbers['median'])}.", SCALE_THEM
    if numbers["spread"] < WEAK:
        sentence = (
            f"The inputs hardly move the gates: the input sums vary by {number(numbers['spread'])} (standard deviation "
            "of the median unit)."
        )
        return "worth a look", sentence, ENLARGE_THEM
    return "fine", f"The largest input feature has a root mean square of {largest}; {beyond}.", ""
