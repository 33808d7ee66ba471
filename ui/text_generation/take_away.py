"""What a written text can be taken away as."""

import numpy as np
import streamlit as st

from lstm_core import exhibit
from lstm_core.nn import Array, softmax
from ui.cell_microscope import traced_text
from ui.common import model_cache, url_state
from ui.take_away import files, trace_csv
from ui.text_generation.run import Writing


def show(writing: Writing, key: str) -> None:
    """Draw the panel of a run that is over.

    Args:
        writing: the run.
        key: prefix of the widgets' keys.
    """
    model, settings = writing.model, writing.settings
    link = url_state.link(**st.query_params.to_dict())
    python = python_of(writing)

    def html() -> bytes:
        whole = traced_text.readable(model, writing.prompt + writing.text)
        sentences = [
            f"Temperature {settings.temperature:g}, seed {settings.seed}. The microscope reads the prompt and the text "
            f"that followed: {len(whole):,} of {len(writing.prompt + writing.text):,} characters."
        ]
        shown = model.trace(whole)
        view = shown.view(timestep=shown.first)
        text = writing.prompt + writing.text
        return exhibit.html_file(view, exhibit.Handout(model.card.title, sentences, text, python, link))

    def csv() -> bytes:
        columns = files.shares(model.alphabet.characters, _probabilities(writing))
        return trace_csv.as_csv(list(writing.text), {"surprisal": writing.surprisal, **columns}, ())

    table = "A table: the surprisal of every character, and the probability of every one that could have followed."
    files.show(files.Files(python, html, csv, lambda: exhibit.npz(arrays(writing)), table), key)


def python_of(writing: Writing) -> str:
    """The lines that write the text again."""
    settings = {name: getattr(writing.settings, name) for name in ("temperature", "top_k", "top_p", "seed")}
    name = writing.model.card.name
    settings["length"] = len(writing)
    return exhibit.stream_code(name, writing.prompt, settings, own=model_cache.is_own(name))


def arrays(writing: Writing) -> dict[str, Array]:
    """Prompt, text, alphabet, (n,) surprisal, (n, alphabet) logits, and (n, units) of each layer's signals by name.

    The signals have three digits: a session keeps them in half precision.
    """
    found = {
        "prompt": np.array(writing.prompt),
        "text": np.array(writing.text),
        "alphabet": np.array(list(writing.model.alphabet.characters)),
        "surprisal": writing.surprisal,
        "logits": _logits(writing),
    }
    for layer in range(writing.layers):
        for letter in exhibit.LETTERS["lstm"]:
            found[f"layers/{layer}/{letter}"] = writing.signal(layer, letter)
    return found


def _logits(writing: Writing) -> Array:
    return np.array([writing.logits(position) for position in range(len(writing))])  # (n, alphabet)


def _probabilities(writing: Writing) -> Array:
    return np.array([softmax(row) for row in _logits(writing)])
