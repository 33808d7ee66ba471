"""How long units remember: the half-life from the keeping gate, and what can be read back of earlier inputs."""

from __future__ import annotations

import numpy as np

from lstm_core.arrays import Array
from lstm_core.interpret.diagnosis.finding import Finding, NotCheckedError, Severity
from lstm_core.interpret.diagnosis.observed import GATE_NAMES, KEEPING, Observed, number
from lstm_core.nn.trace import STATES
from lstm_core.nn.unit_probe import explained_variance

LONGEST = 1e4  # steps: a longer half-life isn't told from one that never ends
SHORT, NONE = 0.5, 0.25  # steps: half-lives of the most persistent tenth of the units; a gate of 0.25, of 0.06
PERSISTENT = 0.9  # quantile of the units
LAGS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)
TARGETS = 8  # principal components of the input that are read back
MOST_STATES, MOST_ROWS, LEAST_ROWS = 1024, 4000, 60  # of the probe: columns, and rows
ROWS_A_COLUMN = 2  # at least, or else the regression fits noise
RIDGE = 1e-2  # share of the mean variance that is added to each
READABLE = 0.1  # explained variance beyond that by the present input


def memory(layer: Observed) -> Finding:
    """Half-lives, and the memory function by a linear probe.

    The half-life ln 0.5 / mean(ln f) is the time in which the gate alone halves a unit's state (Tallec & Ollivier
    2018). The memory function (Jaeger 2001) is the share of the variance of the input k steps earlier that a linear
    regression on the state explains, in sequences (or in the last third of the steps, if there are few sequences)
    that it wasn't fitted on; what the present input explains by itself is subtracted.

    Arrays: `half_life` (units,), empty for a plain RNN; `lags` (k,), `read_back` (k,), empty where no probe fits.
    """
    half_life = half_lives(layer)
    if half_life is None and layer.kind != "rnn":  # pragma: no cover  # kinds are three
        raise NotCheckedError("The layer has no gate that keeps its state.")
    lags, read_back = memory_function(layer)
    if half_life is None and not len(lags):
        raise NotCheckedError("A plain RNN has no forget gate, and there are too few timesteps for a probe.")
    numbers: dict[str, float] = {}
    parts = []
    severity: Severity = "fine"
    if half_life is not None:
        typical, longest = float(np.median(half_life)), float(np.quantile(half_life, PERSISTENT))
        numbers |= {"half-life": typical, "longest": longest}
        severity = "fault" if longest < NONE else "worth a look" if longest < SHORT else "fine"
        gate = GATE_NAMES[KEEPING[layer.kind]]
        parts.append(
            f"By its {gate} a unit's state halves in {_steps(typical)} (median); the most persistent tenth takes "
            f"{_steps(longest)} or more."
        )
    if len(lags):
        reach = _reach(lags, read_back)
        numbers |= {"reach": reach}
        parts.append(
            "A linear probe reads the present input back from the state"
            + (f", and inputs up to {_steps(reach)} earlier." if reach > 0 else ", but none before it.")
            if reach >= 0
            else "A linear probe reads no input back from the state, not even the present one."
        )
    else:
        parts.append("There are too few timesteps for a probe.")
    advice = ""
    if severity != "fine":
        advice = "Raise the bias of this gate: a bias of ln(T − 1) gives a memory of about T steps."
    source = "Tallec & Ollivier 2018; Jaeger 2001"
    arrays = {"half_life": np.zeros(0) if half_life is None else half_life, "lags": lags, "read_back": read_back}
    return Finding("memory", layer.trace.name, severity, " ".join(parts), advice, source, numbers, arrays)


def half_lives(layer: Observed) -> Array | None:
    """(units,) steps in which the keeping gate alone halves a state, at most `LONGEST`; None for a plain RNN."""
    if layer.kind not in KEEPING:
        return None
    values = layer.signal(KEEPING[layer.kind])
    logs = np.log(np.clip(values, 1e-12, 1)).mean(axis=0, dtype=np.float64)
    return np.minimum(np.log(0.5) / np.minimum(logs, -1e-12), LONGEST)


def _steps(count: float) -> str:
    if count >= LONGEST:
        return f"{LONGEST:,.0f} steps"
    return f"{number(count)} step{'s' * (number(count) != '1')}"


def _reach(lags: Array, read_back: Array) -> float:
    """The largest lag up to which all are readable; -1 if not even the present input is."""
    readable = np.logical_and.accumulate(read_back >= READABLE)
    return float(lags[readable][-1]) if readable.any() else -1.0


def memory_function(layer: Observed) -> tuple[Array, Array]:
    """(k,) lags and (k,) explained variances, -… to 1; both empty where there are too few timesteps."""
    furthest = int(np.median(layer.lengths) // 2) if len(layer.lengths) else 0
    lags = np.array([lag for lag in LAGS if lag <= furthest])
    batch, steps, fitted = _places(layer, int(lags[-1]) if len(lags) else 0)
    if min(fitted.sum(), (~fitted).sum()) < LEAST_ROWS:
        return np.zeros(0, int), np.zeros(0)
    states = [layer.in_order(layer.trace.signals[name]) for name in STATES[layer.kind]]
    state = np.concatenate([each[batch, steps] for each in states], axis=1)[:, :MOST_STATES]  # (rows, columns)
    if fitted.sum() < ROWS_A_COLUMN * state.shape[1]:
        return np.zeros(0, int), np.zeros(0)
    inputs = _components(layer.in_order(layer.trace.inputs), layer.taken)  # (batch, T, targets)
    if not inputs.shape[-1]:
        return np.zeros(0, int), np.zeros(0)
    targets = np.stack([inputs[batch, steps - lag] for lag in lags], axis=1)  # (rows, lags, targets)
    from_state = _explained(state, targets, fitted)  # (lags,)
    from_input = _explained(targets[:, 0], targets, fitted)
    from_input[0] = 0.0  # the present input explains itself
    return lags, from_state - np.maximum(from_input, 0)


def _places(layer: Observed, lag: int) -> tuple[Array, Array, Array]:
    """Batch indices and steps of rows, at least `lag` steps after the first of a sequence; which are fitted on."""
    rows = [(index, steps[lag:]) for index, steps in enumerate(layer.sequences) if len(steps) > lag]
    if not rows:
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0, bool)
    batch = np.concatenate([np.full(len(steps), index) for index, steps in rows])
    steps = np.concatenate([steps for _, steps in rows])
    if len(rows) >= 6:
        fitted = np.concatenate([np.full(len(own), place % 3 != 2) for place, (_, own) in enumerate(rows)])
    else:  # a gap of the longest lag, so that no target is in both parts
        early = [np.arange(len(own)) < 0.65 * len(own) for _, own in rows]
        late = [np.arange(len(own)) >= 0.65 * len(own) + lag for _, own in rows]
        keep, fitted = np.concatenate([a | b for a, b in zip(early, late, strict=True)]), np.concatenate(early)
        batch, steps, fitted = batch[keep], steps[keep], fitted[keep]
    stride = slice(None, None, max(1, -(-len(batch) // MOST_ROWS)))
    return batch[stride], steps[stride], fitted[stride]


def _components(x: Array, taken: Array) -> Array:
    """(batch, T, at most `TARGETS`) the first principal components of the inputs, each of variance 1."""
    rows = x[taken]
    mean = rows.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((rows - mean).T.astype(np.float64)).reshape(x.shape[-1], x.shape[-1]))
    kept = [place for place in np.argsort(-values)[:TARGETS] if values[place] > 1e-10 * max(values.max(), 1e-30)]
    return np.where(taken[..., None], x - mean, 0) @ vectors[:, kept] / np.sqrt(values[kept])


def _explained(columns: Array, targets: Array, fitted: Array) -> Array:
    """(lags,) mean explained variance of (rows, lags, targets) by ridge regression, on the rows not fitted on."""
    x = columns.astype(np.float64)
    x = (x - x[fitted].mean(axis=0)) / np.maximum(x[fitted].std(axis=0), 1e-9)
    y = targets.reshape(len(targets), -1)
    own, mean = x[fitted], y[fitted].mean(axis=0)
    gram = own.T @ own + RIDGE * len(own) * np.eye(x.shape[1])
    predicted = x[~fitted] @ np.linalg.solve(gram, own.T @ (y[fitted] - mean)) + mean
    return explained_variance(y[~fitted], predicted).reshape(targets.shape[1:]).mean(axis=1)
