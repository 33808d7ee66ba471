"""The worker process that opens one upload: its bytes on standard input, one JSON object on standard output.

Without an argument the upload is a model of LSTM Lab; with one, the name of a file, a network of Keras or PyTorch.

It limits its own time and memory before it reads anything, so that a file that lies about its sizes, or that makes a C
library loop or crash, costs this process alone. `upload_check.py` starts it.
"""

import json
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py  # noqa: F401  # now, so that its import isn't part of the time limit
import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import LabError, ModelError
from lstm_core.inference.forecaster import Forecaster
from lstm_core.inference.registry import load
from lstm_core.library.bundle import unpack_bundle
from lstm_core.library.card import CARD, ModelCard
from lstm_core.nn.keras_file import MIB, json_object
from lstm_core.text.encoder import BLANK
from lstm_core.timeseries.scaling import Scaling
from lstm_core.tracing import inspect_bytes, read_network

with suppress(ModuleNotFoundError):  # files that need it are refused without it
    import safetensors  # noqa: F401  # now, as h5py

SECONDS = 2  # of computing, once the modules are imported
CHARACTERS = 20  # that a generator must write
PATIENCE = 10  # seconds by the clock, on a machine that is busy with other things
MEMORY = 512 * MIB
NO_MEMORY = f"Opening the model needs more than {MEMORY // MIB} MiB of memory; use a smaller network or vocabulary."


def main() -> None:
    """Examine the upload on standard input and print why it can't be used; null if it can."""
    limit()
    data = sys.stdin.buffer.read()
    print(json.dumps({"refusal": network_refusal(data, sys.argv[1]) if sys.argv[1:] else refusal(data)}))


def limit() -> None:
    """Limit this process, where the system can."""
    if sys.platform == "win32":  # the time limit of `upload_check` alone
        return
    import resource

    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # its signal, like that of the next one, ends the process
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    limits = {resource.RLIMIT_FSIZE: 64 * MIB, resource.RLIMIT_CORE: 0, resource.RLIMIT_CPU: 60}
    if sys.platform == "linux":  # macOS doesn't keep to it
        limits[resource.RLIMIT_AS] = MEMORY
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))


def refusal(data: bytes) -> str | None:
    """Why the model in a bundle can't be used, in one sentence; None if it can."""
    try:
        files = unpack_bundle(data)
        card = json_object(files[CARD], CARD)
        name = str(card.get("name"))
        with tempfile.TemporaryDirectory() as parent:
            # Sentences about the model contain the name of its folder.
            folder = Path(parent) / (name if re.fullmatch(r"[a-z0-9_-]{1,40}", name) else "upload")
            folder.mkdir()
            for part, content in files.items():
                (folder / part).write_bytes(content)
            ModelCard.read(folder).for_user()
            ask(load(folder))
    except LabError as error:
        return " ".join(str(error).split())[:600]
    except MemoryError:
        return NO_MEMORY
    return None


def network_refusal(data: bytes, filename: str) -> str | None:
    """Why the network in the file of another program can't be opened, in one sentence; None if it can."""
    try:
        if inspect_bytes(data, filename).traceable:  # else the report says why it isn't
            read_network(data, filename)
    except LabError as error:
        return " ".join(str(error).split())[:600]
    except MemoryError:
        return NO_MEMORY
    return None


def ask(model: Any) -> None:
    """Ask a loaded model one question of its task.

    Raises:
        ModelError: unless it answers with numbers, and with probabilities where its task needs them.
    """
    with np.errstate(all="ignore"):  # what is computed is looked at below
        answer = np.asarray(_QUESTIONS[model.card.task](model), float)
    if not np.isfinite(answer).all():
        raise ModelError("The model's answer to a first question isn't a number; train it again, at a lower rate.")
    if model.card.task in ("forecaster", "word model"):
        return
    if not (answer.min() >= 0 and np.allclose(answer.sum(axis=-1), 1, atol=1e-3)):
        raise ModelError(
            "The model's answers aren't probabilities; give its last layer the activation softmax, or sigmoid where it "
            "has a single unit."
        )


def _forecast(model: Forecaster) -> Array:
    settings = model.settings
    values = 2 + np.sin(np.arange(settings.before + 8.0))
    scalings = [Scaling.fit(values, settings.form, 0, len(values)), *settings.scalings.values()]
    origins = np.array([settings.before - 1])
    return np.concatenate([model.forecast(values, origins, scaling) for scaling in scalings])


def _words(model: Any, last: str) -> str:
    """A text as long as the model reads, so that one that takes too long for it is refused."""
    return "the " * (model.encoder.length - 1) + last


# Task → a question to a loaded model, and its answer: (…, values).
_QUESTIONS: dict[str, Callable[[Any], Array]] = {
    "classifier": lambda model: model.read(_words(model, "list")).probabilities,
    "generator": lambda model: [*model.stream(model.alphabet.characters[0], CHARACTERS, seed=1)][-1].distribution,
    "forecaster": _forecast,
    "word model": lambda model: model.score(_words(model, "end").split()).surprisal,
    "blank filler": lambda model: model.predict([_words(model, BLANK)]),
    "rewriter": lambda model: model.rewrite("40").written.probabilities,
    "tree reader": lambda model: model.read("(not good)").probabilities,
}


if __name__ == "__main__":
    main()
