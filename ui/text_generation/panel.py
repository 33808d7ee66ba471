"""The panel of a run, which the visitor's session holds: the text, its probabilities, gates and states."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from lstm_core.inference import TextGenerator, sampling_distribution
from lstm_core.interpret import readable_units_from_card
from lstm_core.library import SHIPPED, ModelCard, model_path
from lstm_core.nn import Clamp, softmax
from ui.classifier.panels import ACTIVE_UNITS
from ui.common import charts, gate, plotting, theme, tokens, written_text
from ui.common.written_text import Tint
from ui.guide import guess
from ui.guide.guess import Offer
from ui.text_generation import charts as writing_charts
from ui.text_generation import take_away
from ui.text_generation.run import BEAT, MAX_PROMPT, Settings, Writing

DAGGER = "Is this a dagger which I see before me, "
INVISIBLE = {" ": "a space", "\n": "a line break"}
NEXT = 4  # characters that a class chooses from
TOP = 10  # characters whose probabilities are shown
MAX_SURPRISAL = 6.0  # nats at which the tint is strongest: a probability of 1 in 400
GROWTH = 12  # characters by which the heat map grows while the network writes
SURPRISAL, OTHER = "surprisal", "another unit"


def trained_on(card: ModelCard) -> str:
    """What a network has read, in words: the shipped ones Shakespeare, a visitor's own its own texts."""
    path = model_path(card.name)
    return "Shakespeare" if path and path.parent == SHIPPED else f"texts of its own, “{tokens.plain(card.title)}”"


def opening(card: ModelCard) -> str:
    """The prompt that a network begins with."""
    return card.sample or DAGGER


def another_network(cards: Sequence[ModelCard]) -> None:
    """Replace the opening words of one network by those of another; a prompt that was typed stays."""
    if st.session_state.get("gen_prompt") in [opening(card) for card in cards]:
        chosen = next(card for card in cards if card.name == st.session_state["gen_model"])
        st.session_state["gen_prompt"] = opening(chosen)


def run(writing: Writing, key: str, settings: Settings) -> None:
    """Draw a run and advance it.

    The sampling distribution shown is that of the settings of the sliders; the run keeps its own.
    """

    def draw() -> None:
        if not len(writing):
            st.info("No character has been written yet.")
            return
        guess.of_stop("text_generation", *most_probable_taken(writing))
        _offer_next(writing, key)
        tint = _choose_tint(writing, key)
        position = _position(writing, key)
        with st.container(key=f"{key}_covered"):
            left, right = st.columns([3, 2], gap="medium")
            with left:
                _text(writing, tint, position, key)
            with right:
                _probabilities(writing, position, key, settings)
        _memory(writing, position, key)
        if writing.stopped:
            take_away.show(writing, key)

    keep_going([writing], draw)


def _offer_next(writing: Writing, key: str) -> None:
    """Let a lecturer ask what comes after the prompt: the network's most probable characters, in alphabetical order."""
    logits = writing.logits(0).astype(float)
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()  # (alphabet,) at temperature 1
    best = sorted(np.argsort(-shares)[:NEXT], key=lambda place: writing.model.alphabet.characters[place])
    characters = [writing.model.alphabet.characters[place] for place in best]
    names = tuple(INVISIBLE.get(character, character) for character in characters)
    happened = int(np.argmax(shares[best]))
    words = ", ".join(f"{name} {shares[place]:.0%}" for name, place in zip(names, best, strict=True))
    measured = f"The probabilities after the prompt: {words}. It wrote “{writing.text[0]}”, which is sampled."
    question = "Which character is most probable after the prompt?"
    guess.offer(f"{key}_next", Offer(question, names, lambda: (happened, measured), "next", (f"{key}_covered",)))


def most_probable_taken(writing: Writing) -> tuple[int | None, str]:
    """How often a run took the most probable character (0 nearly always, 1 mostly, 2 else), and a sentence."""
    if not writing.stopped:
        return None, "The answer comes when the text is written."
    count, ids = len(writing), writing.model.alphabet.ids
    taken = sum(int(writing.logits(place).argmax()) == ids[writing.text[place]] for place in range(count))
    share = taken / count
    words = f"It took the most probable character for {taken} of {count} ({share:.0%}), at a temperature of "
    words += f"{writing.settings.temperature:g}. The lower the temperature, the more often it does."
    return 0 if share >= 0.95 else 1 if share > 0.5 else 2, words


def keep_going(runs: Sequence[Writing], draw: Callable[[], None]) -> None:
    """Advance runs and draw them, now and at every beat until all of them are over."""
    for each in runs:
        each.advance()
    running = not all(each.stopped for each in runs)
    with_the_page = [True]

    def beat() -> None:
        if with_the_page:  # then a rerun of the whole page would drop a visitor's click
            with_the_page.clear()
        else:
            for each in runs:
                each.advance()
            if running and all(each.stopped for each in runs):
                st.rerun()  # without the beat
        draw()

    gate.fragment(beat, run_every=BEAT if running else None)()


def surprisal_tint(surprisal: np.ndarray) -> Tint:
    """The tint of a text by its (n,) surprisal in nats."""
    return Tint("surprisal in nats", surprisal.tolist(), MAX_SURPRISAL, theme.CLASS_COLOURS[1])


def _choose_tint(writing: Writing, key: str) -> Tint:
    found = {
        f"{unit.feature} · {unit.signal}[{unit.unit}] of layer {unit.layer + 1}, "
        f"r = {plotting.signed(unit.correlation, '.2f')}": unit
        for unit in readable_units_from_card(writing.model.card.measured)
        if 0 <= unit.layer < writing.layers and 0 <= unit.unit < writing.signal(unit.layer, unit.signal).shape[1]
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Tint each character by",
            [SURPRISAL, *found, OTHER],
            key=f"{key}_tint",
            help="Surprisal: −ln of the character's probability. A unit: its cell state (c) or hidden state (h); r is "
            "its correlation with the named feature on held-out text.",
        )
        if chosen == SURPRISAL:
            return surprisal_tint(writing.surprisal)
        if chosen in found:
            layer, letter, unit = found[chosen].layer, found[chosen].signal, found[chosen].unit
        else:
            letter = st.selectbox("Signal", ["c", "h"], key=f"{key}_tint_signal", width=110)
            layer = _layer(writing, f"{key}_tint_layer")
            units = writing.signal(layer, letter).shape[1]
            unit = int(st.number_input("Unit", 0, units - 1, 0, key=f"{key}_tint_unit", width=140))
    values = writing.signal(layer, letter)[:, unit]
    return Tint(f"{letter}[{unit}]", values.tolist(), max(float(np.abs(values).max()), 1e-3))


def _layer(writing: Writing, key: str) -> int:
    if writing.layers == 1:
        return 0
    return int(st.selectbox("Layer", range(writing.layers), format_func=lambda n: f"{n + 1}", key=key, width=110))


def _position(writing: Writing, key: str) -> int:
    """The selected character; the newest one while the network writes."""
    name, last = f"{key}_at", len(writing) - 1
    if not writing.stopped:
        st.session_state[name] = None
    chosen = st.session_state.get(name)
    return last if chosen is None else min(chosen, last)


def show_text(writing: Writing, tint: Tint, key: str, **selection: Any) -> None:
    """Draw the text of a run; `selection` is passed on to `written_text.show`."""
    prompt = writing.model.alphabet.decode(writing.model.alphabet.encode(writing.prompt))
    label = f"The text written by {writing.model.card.title}"
    beat = 0.0 if writing.stopped else BEAT
    written_text.show(writing.text, tint, key=key, label=label, prompt=prompt, beat=beat, **selection)


def _text(writing: Writing, tint: Tint, position: int, key: str) -> None:
    def choose(index: int) -> None:
        st.session_state[f"{key}_at"] = index

    show_text(writing, tint, f"{key}_text", chosen=position if writing.stopped else None, on_choose=choose)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Stop", key=f"{key}_stop", icon=":material/stop:", on_click=writing.stop, disabled=writing.stopped)
        for label, by, help_text in (("◀", -1, "Previous character"), ("▶", 1, "Next character")):
            st.button(
                label, key=f"{key}_by{by}", help=help_text, on_click=choose,
                args=(min(max(position + by, 0), len(writing) - 1),), disabled=not writing.stopped,
            )  # fmt: skip
        mean = writing.surprisal.mean()
        st.caption(f"{len(writing)} of {writing.settings.length} characters; mean surprisal {mean:.2f} nats")


def _probabilities(writing: Writing, position: int, key: str, settings: Settings) -> None:
    logits, alphabet = writing.logits(position), writing.model.alphabet.characters
    network = softmax(logits)
    sampling = sampling_distribution(logits, settings.temperature, settings.top_k, settings.top_p)
    written = writing.text[position]
    name = writing_charts.name_of(written)
    share = network[writing.model.alphabet.ids[written]]
    st.markdown(f"**Character {position + 1}**: the most probable characters")
    figure = writing_charts.candidates(alphabet, network, sampling, written, TOP)
    alt = f"Bars: the {TOP} most probable characters at position {position + 1}; written was {name}."
    plotting.show(figure, f"{key}_probabilities", alt, toolbar=False)
    st.caption(
        f"Written: {name}, with probability {share:.1%} (surprisal {writing.surprisal[position]:.2f} nats). The "
        "sliders above change the sampling distribution shown here."
    )


def _memory(writing: Writing, position: int, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = _layer(writing, f"{key}_layer")
        letter = st.segmented_control(
            "Signal", theme.LSTM_SIGNALS, format_func=theme.signal_names(theme.LSTM_SIGNALS).__getitem__, default="c",
            required=True, key=f"{key}_signal",
        )  # fmt: skip
    whole = len(writing) if writing.stopped else max(len(writing) - len(writing) % GROWTH, 1)
    values = writing.signal(layer, letter)[:whole]
    order = charts.similarity_order(values) if writing.stopped else np.arange(values.shape[1])
    shown = order if writing.stopped else order[:: max(len(order) // 64, 1)]
    chosen = position if writing.stopped else None
    figure = charts.heatmap(writing_charts.visible(writing.text[:whole]), letter, values, shown, chosen)
    rows = charts.rows_in_words(shown, values)
    alt = f"Heat map of the {theme.SIGNALS[letter].name.lower()}: {rows} by {whole} characters."
    plotting.show(figure, f"{key}_memory", alt)
    st.caption(
        f"{theme.SIGNALS[letter].name}: {theme.SIGNALS[letter].help} Each row is a unit, each column a character."
    )
    if writing.stopped:
        signals = {name: writing.signal(layer, name)[position] for name in theme.LSTM_SIGNALS}
        units = np.argsort(-np.abs(signals["h"]))[:ACTIVE_UNITS]
        st.markdown(f"The {len(units)} units of layer {layer + 1} with the largest |h| at character {position + 1}:")
        alt = f"Bars: gates and states of units {', '.join(map(str, units))} at character {position + 1}."
        plotting.show(charts.timestep(signals, units), f"{key}_gates", alt)


def begin(model: TextGenerator, prompt: str, settings: Settings, key: str, clamps: Sequence[Clamp] = ()) -> Writing:
    """Start a run in place of the last one of this key; clamps apply while it writes.

    Raises:
        TextError: if no character of the prompt is in the alphabet.
    """
    writing = st.session_state[f"{key}_writing"] = Writing(model, prompt, settings, clamps)
    st.session_state.pop(f"{key}_at", None)
    return writing


def write_anew() -> None:
    """Let the next run of the page start a new text; a callback, which another click can't interrupt."""
    st.session_state.pop("gen_request", None)


def current(key: str) -> Writing | None:
    """The run of this key, if there is one."""
    return st.session_state.get(f"{key}_writing")


def notices(model: TextGenerator, prompt: str) -> None:
    """Draw one sentence for each way in which the network's input differs from the prompt."""
    if len(prompt) > MAX_PROMPT:
        st.caption(f"The prompt has {len(prompt):,} characters; the network read the last {MAX_PROMPT:,}.")
    lost = model.alphabet.lost(prompt[-MAX_PROMPT:])
    if lost:
        names = " ".join(f"“{each}”" if each.isprintable() else f"U+{ord(each):04X}" for each in lost[:12])
        st.caption(f"Left out, because not in the alphabet: {names}{' and others' if len(lost) > 12 else ''}.")
    if model.alphabet.folded(prompt) != prompt:
        st.caption("The alphabet of this network is lowercase; capital letters are read as lowercase.")
