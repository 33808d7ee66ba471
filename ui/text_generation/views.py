"""The panels under a run: two runs side by side, surprise at a pasted text, what could come next, an own corpus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from lstm_core import LabError
from lstm_core.inference import TextGenerator, continuation_tree
from lstm_core.library import ModelCard
from lstm_core.text import read_plain_text
from ui.common import clamp_editor, model_cache, plotting, theme, written_text
from ui.text_generation import charts, panel
from ui.text_generation.run import BEAT, Settings, Writing

LONGEST_READ = {True: 4_000, False: 800}  # characters that a network reads here, by whether it carries its state
SHORT = 300  # characters of a run beside another
QUOTE = (
    "To be, or not to be, that is the question. And now for something else: the server returned an error, "
    "please check your network cable and try again."
)


def beside(cards: Sequence[ModelCard], model: TextGenerator, prompt: str, settings: Settings) -> None:
    """The same prompt and seed through another model, or at another temperature."""
    st.markdown("The same prompt and the same seed, written twice: change the network, the temperature, or both.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Second network",
            [card.name for card in cards],
            format_func={card.name: card.title for card in cards}.__getitem__,
            index=len(cards) - 1,
            key="beside_model",
            width=320,
        )
        temperature = st.slider(
            "Second temperature", 0.0, 2.0, settings.temperature, 0.05, key="beside_temperature", width=240
        )

        def begin() -> None:
            panel.begin(model, prompt, replace(settings, length=SHORT), "left")
            other = replace(settings, length=SHORT, temperature=temperature)
            panel.begin(model_cache.model(TextGenerator, name), prompt, other, "right")

        _write_both(begin, "beside")
    _go_on("left", "right")


def operate(model: TextGenerator, prompt: str, settings: Settings) -> None:
    """The same prompt and seed, with the gates free and with gates held."""
    st.markdown(
        "Hold a gate of the network while it writes, and read what the play turns into. The left text is written with "
        "all gates free, the right one with yours held; prompt and seed are the same."
    )
    layers, units = len(model.reader.layers), model.reader.layers[0].units
    clamp_editor.presets("write")
    clamp_editor.editor("write", theme.LSTM_SIGNALS, units, SHORT, "character")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "In", ["all layers", *(f"layer {n + 1}" for n in range(layers))], key="write_layer", width=160
        )
        clamps = clamp_editor.parsed("write", theme.LSTM_SIGNALS, units, SHORT)

        def begin() -> None:
            numbers = range(layers) if chosen == "all layers" else [int(chosen[-1]) - 1]
            held = [replace(clamp, layer=number) for clamp in clamps for number in numbers]
            short = replace(settings, length=SHORT)
            panel.begin(model, prompt, short, "free")
            panel.begin(model, prompt, short, "held", held)

        _write_both(begin, "operate", disabled=not clamps)
    _go_on("free", "held")


def _write_both(begin: Callable[[], None], key: str, disabled: bool = False) -> None:
    """The button that begins two runs. By a callback: what a script does late, another click may cut off."""

    def attempt() -> None:
        try:
            begin()
        except LabError as error:
            st.error(str(error))

    st.button(
        "Write both", type="primary", key=f"{key}_go", icon=":material/edit:", disabled=disabled, on_click=attempt
    )


def _go_on(*keys: str) -> None:
    """Draw two runs side by side, and let them go on."""
    runs = [run for run in map(panel.current, keys) if run is not None]
    if len(runs) == 2:
        panel.keep_going(runs, lambda: _both(runs))


def _both(runs: list[Writing]) -> None:
    for number, (column, run) in enumerate(zip(st.columns(2, border=True), runs, strict=True)):
        with column:
            held = ", gates held" if run.clamps else ""
            st.markdown(f"**{run.model.card.title}**, temperature {run.settings.temperature:g}{held}")
            written_text.show(
                run.text,
                panel.tint_of_surprise(run.surprise),
                key=f"beside_text_{number}",
                label=f"Text {number + 1} of two",
                prompt=run.model.alphabet.decode(run.model.alphabet.encode(run.prompt)),
                beat=0.0 if run.stopped else BEAT,
            )
            st.caption(f"{len(run)} characters; mean surprise {run.surprise.mean():.2f} nats")
    st.button("Stop both", disabled=all(run.stopped for run in runs), on_click=_stop, args=(runs,), key="beside_stop")


def _stop(runs: list[Writing]) -> None:
    for run in runs:
        run.stop()


def surprise(cards: Sequence[ModelCard]) -> None:
    """How little each model expected a text, character by character."""
    st.markdown(
        "Paste any text. The stronger the tint of a character, the less the network expected it. **Nats per "
        "character** is the mean surprise: 0 for a text known by heart, about 4 for throwing dice with the "
        "whole alphabet."
    )
    text = st.text_area("A text to be surprised by", QUOTE, key="surprise_text", height=120, persist_state="session")
    names = st.pills(
        "Networks",
        [card.name for card in cards],
        format_func={card.name: card.title for card in cards}.__getitem__,
        selection_mode="multi",
        default=[card.name for card in cards][:2],
        key="surprise_models",
        persist_state="session",
    )
    for name in names:
        try:
            model = model_cache.model(TextGenerator, name)
            _one_surprise(model, text)
        except LabError as error:
            st.error(f"{name}: {error}")


def _one_surprise(model: TextGenerator, text: str) -> None:
    most = LONGEST_READ[model.carries]
    score = model.score(text[:most])
    st.markdown(f"**{model.card.title}**: {score.nats_per_character:.2f} nats per character")
    first = len(score.text) - len(score.surprisal)
    written_text.show(
        score.text[first:],
        panel.tint_of_surprise(score.surprisal),
        key=f"surprise_{model.card.name}",
        label=f"The text, tinted by the surprise of {model.card.title}",
        prompt=score.text[:first],
    )
    if len(text) > most:
        st.caption(f"The first {most:,} of {len(text):,} characters were read.")
    lost = model.alphabet.lost(text[:most])
    if lost:
        st.caption(f"{len(lost)} different characters are unknown to this network and were left out.")


def next_texts(model: TextGenerator, prompt: str) -> None:
    """The most probable continuations as a tree."""
    st.markdown(
        "Nothing is drawn at random here: these are the continuations that the network holds most probable, as a tree. "
        "The wider a line, the surer the step; behind each branch stands the probability of all of it."
    )
    with st.container(horizontal=True):
        length = st.slider("Characters ahead", 1, 24, 10, key="tree_length", width=260)
        width = st.slider(
            "Branches kept",
            1,
            12,
            6,
            key="tree_width",
            width=260,
            help="Beam width: how many of the best are followed at every step.",
        )
    if not model.carries:
        length = min(length, 6)
    with st.spinner("Following the branches …"):
        branches = continuation_tree(model, prompt, length, width)
    end = model.alphabet.decode(model.alphabet.encode(prompt))[-10:].replace("\n", "↵")
    whole = sorted((branch for branch in branches if branch.whole), key=lambda branch: -branch.probability)
    alt = "Tree: " + "; ".join(f"{branch.text!r} {charts.chance(branch.probability)}" for branch in whole)
    plotting.show(charts.continuations(branches, end), "tree", alt, toolbar=False)
    st.dataframe(
        {
            "continuation": [branch.text.replace("\n", "↵") for branch in whole],
            "probability": [charts.chance(branch.probability) for branch in whole],
        },
        hide_index=True,
        key="tree_table",
    )


def own_corpus() -> None:
    """A text that somebody brings along; kept in the session for training."""
    st.markdown("Bring a text of your own, 10 kB to 5 MB, and see what a network would have to learn.")
    upload = st.file_uploader("A plain text file", key="corpus_file", max_upload_size=6)
    pasted = st.text_area("or paste it here", key="corpus_text", height=120)
    data = upload.getvalue() if upload is not None else pasted
    if upload is None and not pasted:
        return
    try:
        found = read_plain_text(data)
    except LabError as error:
        st.error(str(error))
        return
    st.session_state["corpus"] = found
    figures = (
        ("Characters", f"{len(found.text):,}"),
        ("Different ones", f"{len(found.alphabet)}"),
        ("Lines", f"{found.text.count(chr(10)) + 1:,}"),
        ("Encoding", found.encoding),
        ("Letters alone", f"{found.entropy:.2f} nats"),
    )
    for column, (label, value) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(label, value)
    shares = ", ".join(f"{charts.name_of(sign)} {count:,}" for sign, count in found.counts[:5])
    plotting.show(
        charts.frequencies(found.counts, len(found.text)),
        "corpus_chart",
        f"Bars: the most frequent characters: {shares}.",
        toolbar=False,
    )
    st.caption(
        "A network that knew nothing but how frequent each character is would be surprised by "
        f"{found.entropy:.2f} nats at each one; what it reads before lets it do better."
    )
