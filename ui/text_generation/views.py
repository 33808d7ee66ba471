"""The panels below a run: two runs side by side, surprisal of a text, continuations, a corpus of one's own."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from lstm_core import LabError
from lstm_core.inference import TextGenerator, continuation_tree
from lstm_core.library import ModelCard
from lstm_core.text import read_plain_text
from ui.common import clamp_editor, model_cache, plotting, theme, tokens, written_text
from ui.common.errors import show_error, show_errors
from ui.common.explanations import explain
from ui.text_generation import charts, panel
from ui.text_generation.run import Settings, Writing

MAX_READ = {True: 4_000, False: 800}  # characters that are read, by whether the network carries its state
SHORT = 300  # characters of a run beside another
QUOTE = (
    "To be, or not to be, that is the question. And now for something else: the server returned an error, "
    "please check your network cable and try again."
)


def measured_in_words(card: ModelCard) -> str:
    """What a card says of the network, the n-gram, a copy that goes on learning, and other seeds; "" for nothing."""
    figure = "nats_per_character"
    training = {name: each for name, each in card.training.items() if isinstance(each, dict)}
    nats, seeds = card.measured.get(figure), training.get("seeds")
    said_of_it = [nats, *(each.get(figure) for name in ("baseline", "dynamic") if (each := training.get(name)))]
    if seeds:
        said_of_it += [seeds.get("mean"), seeds.get("deviation")]
    if not all(isinstance(each, float) for each in said_of_it) or (seeds and not isinstance(seeds.get("runs"), list)):
        return ""  # a model from elsewhere may say anything
    said = f"Measured on the test set, the last 10% of its text: **{nats:.3f} nats per character**"
    if peer := training.get("baseline"):
        better = ", which is less" if peer[figure] < nats else ""
        said += f"; a {tokens.plain(str(peer.get('name')))} has {peer[figure]:.3f}{better}"
    if moving := training.get("dynamic"):
        said += (
            f". A copy that goes on learning from what it has read of the test set (dynamic evaluation, Krause et al. "
            f"2018) has {moving[figure]:.3f}; the network on this page doesn't change"
        )
    if seeds:
        before = ", before their logits are scaled," if "calibration" in training else ""
        said += (
            f". Networks trained like it with {len(seeds['runs'])} seeds{before} have {seeds['mean']:.3f} on the "
            f"validation set on average, with a standard deviation of {seeds['deviation']:.3f}"
        )
    return f"{said}."


def beside(cards: Sequence[ModelCard], model: TextGenerator, prompt: str, settings: Settings) -> None:
    """Draw the same prompt and seed with a second model or temperature."""
    st.markdown("Two texts from the same prompt and seed: change the network, the temperature, or both.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = {card.name: card.title for card in cards}
        name = st.selectbox(
            "Second network", list(titles), format_func=titles.__getitem__, index=len(cards) - 1, key="beside_model",
            width=320,
        )  # fmt: skip
        temperature = st.slider(
            "Second temperature", 0.0, 2.0, settings.temperature, 0.05, key="beside_temperature", width=240
        )

        def begin() -> None:
            panel.begin(model, prompt, replace(settings, length=SHORT), "left")
            other = replace(settings, length=SHORT, temperature=temperature)
            panel.begin(model_cache.model(TextGenerator, name), prompt, other, "right")

        _write_both(begin, "beside")
    _continue("left", "right")


def surgery(model: TextGenerator, prompt: str, settings: Settings) -> None:
    """Draw the same prompt and seed without and with clamps."""
    explain("writing_surgery")
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
            in_layers = [replace(clamp, layer=number) for clamp in clamps for number in numbers]
            short = replace(settings, length=SHORT)
            panel.begin(model, prompt, short, "free")
            panel.begin(model, prompt, short, "clamped", in_layers)

        _write_both(begin, "operate", disabled=not clamps)
    _continue("free", "clamped")


def _write_both(begin: Callable[[], None], key: str, disabled: bool = False) -> None:
    """Draw the button that starts two runs, by a callback, which another click can't interrupt."""

    def attempt() -> None:
        with show_errors():
            begin()

    st.button(
        "Write both", type="primary", key=f"{key}_go", icon=":material/edit:", disabled=disabled, on_click=attempt
    )


def _continue(*keys: str) -> None:
    """Draw two runs side by side, and advance them."""
    runs = [run for run in map(panel.current, keys) if run is not None]
    if len(runs) == 2:
        panel.keep_going(runs, lambda: _both(runs))


def _both(runs: list[Writing]) -> None:
    for number, (column, run) in enumerate(zip(st.columns(2, border=True), runs, strict=True)):
        with column:
            clamped = ", gates clamped" if run.clamps else ""
            st.markdown(f"**{tokens.plain(run.model.card.title)}**, temperature {run.settings.temperature:g}{clamped}")
            panel.show_text(run, panel.surprisal_tint(run.surprisal), f"beside_text_{number}")
            st.caption(f"{len(run)} characters; mean surprisal {run.surprisal.mean():.2f} nats")

    def stop() -> None:
        for run in runs:
            run.stop()

    st.button("Stop both", disabled=all(run.stopped for run in runs), on_click=stop, key="beside_stop")


def surprisal(cards: Sequence[ModelCard]) -> None:
    """Draw the surprisal of a text for each chosen model, character by character."""
    explain("character_surprisal")
    text = st.text_area("Text", QUOTE, key="surprise_text", height=120, persist_state="session")
    titles = {card.name: tokens.plain(card.title) for card in cards}
    names = st.pills(
        "Networks", list(titles), format_func=titles.__getitem__, selection_mode="multi", default=list(titles)[:2],
        key="surprise_models", persist_state="session",
    )  # fmt: skip
    for name in names:
        try:
            _one_surprisal(model_cache.model(TextGenerator, name), text)
        except LabError as error:
            show_error(error)


def _one_surprisal(model: TextGenerator, text: str) -> None:
    most = MAX_READ[model.carries]
    score = model.score(text[:most])
    st.markdown(f"**{tokens.plain(model.card.title)}**: {score.nats_per_character:.2f} nats per character")
    first = len(score.text) - len(score.surprisal)
    written_text.show(
        score.text[first:],
        panel.surprisal_tint(score.surprisal),
        key=f"surprise_{model.card.name}",
        label=f"The text, tinted by the surprisal of {model.card.title}",
        prompt=score.text[:first],
    )
    if len(text) > most:
        st.caption(f"The first {most:,} of {len(text):,} characters were read.")
    lost = model.alphabet.lost(text[:most])
    if lost:
        st.caption(f"{len(lost)} different characters are not in the alphabet of this network and were left out.")


def continuations(model: TextGenerator, prompt: str) -> None:
    """Draw the most probable continuations as a tree."""
    explain("continuations")
    with st.container(horizontal=True):
        length = st.slider("Characters ahead", 1, 24, 10, key="tree_length", width=260)
        width = st.slider(
            "Beam width", 1, 12, 6, key="tree_width", width=260, help="The number of branches kept at every step."
        )
    if not model.carries:
        length = min(length, 6)
    with st.spinner("Searching …"):
        branches = continuation_tree(model, prompt, length, width)
    end = model.alphabet.decode(model.alphabet.encode(prompt))[-10:].replace("\n", "↵")
    whole = sorted((branch for branch in branches if branch.whole), key=lambda branch: -branch.probability)
    alt = "Tree: " + "; ".join(f"{branch.text!r} {charts.chance(branch.probability)}" for branch in whole)
    plotting.show(charts.continuations(branches, end), "tree", alt, toolbar=False)
    texts = [branch.text.replace("\n", "↵") for branch in whole]
    probabilities = [charts.chance(branch.probability) for branch in whole]
    st.dataframe({"continuation": texts, "probability": probabilities}, hide_index=True, key="tree_table")


def own_corpus() -> None:
    """Draw the statistics of the visitor's own text, which the session keeps for training."""
    st.markdown("Upload a text of your own, 10 kB to 5 MB, and see its statistics.")
    upload = st.file_uploader("A plain text file", key="corpus_file", max_upload_size=6)
    pasted = st.text_area("or paste it here", key="corpus_text", height=120)
    data = upload.getvalue() if upload is not None else pasted
    if upload is None and not pasted:
        return
    try:
        found = read_plain_text(data)
    except LabError as error:
        show_error(error)
        return
    st.session_state["corpus"] = found
    figures = (
        ("Characters", f"{len(found.text):,}"),
        ("Alphabet size", f"{len(found.alphabet)}"),
        ("Lines", f"{found.text.count(chr(10)) + 1:,}"),
        ("Encoding", found.encoding),
        ("Unigram entropy", f"{found.entropy:.2f} nats"),
    )
    for column, (label, value) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(label, value)
    shares = ", ".join(f"{charts.name_of(character)} {count:,}" for character, count in found.counts[:5])
    figure = charts.frequencies(found.counts, len(found.text))
    plotting.show(figure, "corpus_chart", f"Bars: the most frequent characters: {shares}.", toolbar=False)
    st.caption(
        f"A model of the character frequencies alone has a mean surprisal of {found.entropy:.2f} nats; a network that "
        "reads the preceding characters can do better."
    )
