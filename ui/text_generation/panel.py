"""What a character model writes, while it writes: the text, its doubts, its gates and its memory.

A run lives in the visitor's session. The panel is a fragment that draws itself again every beat
while there is something to write, and stands still afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from lstm_core.inference import TextGenerator, sampling_distribution
from lstm_core.interpret import ReadableUnit, readable_units_from_card
from lstm_core.nn import Clamp, softmax
from ui.classifier.panels import ACTIVE_UNITS
from ui.common import charts, clamp_editor, plotting, theme, url_state, written_text
from ui.common.written_text import Tint
from ui.text_generation import charts as writing_charts
from ui.text_generation.run import BEAT, Settings, Writing

TOP = 10
# Nats at which the tint of a surprise is strongest: one in four hundred.
ASTONISHED = 6.0
GROWTH = 12  # characters by which the heat map grows while the network writes
SURPRISE, OTHER = "surprise", "another unit"


def run(writing: Writing, key: str, settings: Settings) -> None:
    """Draw a run and let it go on; `settings` shape the distribution that is shown, the run keeps its own.

    Args:
        writing: what to show.
        key: begins the keys of its widgets.
        settings: as the sliders stand now.
    """
    keep_going([writing], lambda: _draw(writing, key, settings))


def keep_going(runs: Sequence[Writing], draw: Callable[[], None]) -> None:
    """Advance runs and draw them, now and at every beat until all of them are done.

    Only a beat of its own may end in drawing the whole page: were a click on its way with that page, it would be lost.
    """
    for each in runs:
        each.advance()
    running = not all(each.stopped for each in runs)
    with_the_page = [True]

    def beat() -> None:
        if with_the_page:
            with_the_page.clear()
        else:
            for each in runs:
                each.advance()
            if running and all(each.stopped for each in runs):
                st.rerun()  # without the beat
        draw()

    st.fragment(beat, run_every=BEAT if running else None)()


def _draw(writing: Writing, key: str, settings: Settings) -> None:
    if not len(writing):
        st.info("Nothing is written yet.")
        return
    tint = _choose_tint(writing, key)
    position = _position(writing, key)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _text(writing, tint, position, key)
    with right:
        _doubts(writing, position, key, settings)
    _memory(writing, position, key)


def tint_of_surprise(surprise: np.ndarray) -> Tint:
    """The tint by surprise, as every text here has it."""
    return Tint("surprise in nats", surprise.tolist(), ASTONISHED, theme.CLASS_COLOURS[1])


def unit_name(unit: ReadableUnit) -> str:
    """A readable unit as a menu shows it."""
    return f"{unit.feature} · {unit.signal}[{unit.unit}] of layer {unit.layer + 1}, r = {unit.correlation:+.2f}"


def _choose_tint(writing: Writing, key: str) -> Tint:
    found = {unit_name(unit): unit for unit in readable_units_from_card(writing.model.card.measured)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Tint each character by",
            [SURPRISE, *found, OTHER],
            key=f"{key}_tint",
            help="Surprise: how little the network expected the character. A unit: what it remembers (c) or says (h) "
            "there; r tells how closely it follows the named feature on a text that it was not chosen by "
            "(1 or -1: exactly, 0: not at all).",
        )
        if chosen == SURPRISE:
            return tint_of_surprise(writing.surprise)
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
    """The chosen character; the newest one while the network writes."""
    name, last = f"{key}_at", len(writing) - 1
    if not writing.stopped:
        st.session_state[name] = None
    chosen = st.session_state.get(name)
    return last if chosen is None else min(chosen, last)


def _text(writing: Writing, tint: Tint, position: int, key: str) -> None:
    def choose(index: int) -> None:
        st.session_state[f"{key}_at"] = index

    written_text.show(
        writing.text,
        tint,
        key=f"{key}_text",
        label=f"What {writing.model.card.title} writes",
        prompt=writing.model.alphabet.decode(writing.model.alphabet.encode(writing.prompt)),
        chosen=position if writing.stopped else None,
        on_choose=choose,
        beat=0.0 if writing.stopped else BEAT,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Stop", key=f"{key}_stop", icon=":material/stop:", on_click=writing.stop, disabled=writing.stopped)
        for label, by, help_text in (("◀", -1, "Previous character"), ("▶", 1, "Next character")):
            st.button(
                label,
                key=f"{key}_by{by}",
                help=help_text,
                on_click=choose,
                args=(min(max(position + by, 0), len(writing) - 1),),
                disabled=not writing.stopped,
            )
        st.caption(
            f"{len(writing)} of {writing.settings.length} characters; mean surprise {writing.surprise.mean():.2f} nats"
        )


def _doubts(writing: Writing, position: int, key: str, settings: Settings) -> None:
    logits, alphabet = writing.logits(position), writing.model.alphabet.characters
    network = softmax(logits)
    shaped = sampling_distribution(logits, settings.temperature, settings.top_k, settings.top_p)
    sign = writing.text[position]
    share = network[writing.model.alphabet.ids[sign]]
    st.markdown(f"**Character {position + 1}** could have been")
    figure = writing_charts.candidates(alphabet, network, shaped, sign, TOP)
    alt = (
        f"Bars: the {TOP} most probable characters at place {position + 1}; written was {writing_charts.name_of(sign)}."
    )
    plotting.show(figure, f"{key}_doubts", alt, toolbar=False)
    st.caption(
        f"Written: {writing_charts.name_of(sign)}, which the network gave {share:.1%} "
        f"({writing.surprise[position]:.2f} nats of surprise). Move the sliders above: the bars follow, and nothing is "
        "computed anew."
    )


def _memory(writing: Writing, position: int, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = _layer(writing, f"{key}_layer")
        letter = st.segmented_control(
            "Signal",
            theme.LSTM_SIGNALS,
            format_func=lambda letter: f"{theme.SIGNALS[letter].name} {letter}",
            default="c",
            required=True,
            key=f"{key}_signal",
        )
    whole = len(writing) if writing.stopped else max(len(writing) - len(writing) % GROWTH, 1)
    values = writing.signal(layer, letter)[:whole]
    order = charts.similarity_order(values) if writing.stopped else np.arange(values.shape[1])
    shown = order if writing.stopped else order[:: max(len(order) // 64, 1)]
    chosen = position if writing.stopped else None
    figure = charts.heatmap(writing_charts.short(writing.text[:whole]), letter, values, shown, chosen)
    alt = f"Heat map of the {theme.SIGNALS[letter].name.lower()}: {len(shown)} units by {whole} characters."
    plotting.show(figure, f"{key}_memory", alt)
    st.caption(
        f"{theme.SIGNALS[letter].name}: {theme.SIGNALS[letter].help} Each row is a unit, each column a character."
    )
    if writing.stopped:
        signals = {name: writing.signal(layer, name)[position] for name in theme.LSTM_SIGNALS}
        units = np.argsort(-np.abs(signals["h"]))[:ACTIVE_UNITS]
        st.markdown(f"The {len(units)} loudest units of layer {layer + 1} when character {position + 1} was drawn:")
        alt = f"Bars: gates and states of units {', '.join(map(str, units))} at character {position + 1}."
        plotting.show(charts.timestep(signals, units), f"{key}_gates", alt)


def begin(model: TextGenerator, prompt: str, settings: Settings, key: str, clamps: Sequence[Clamp] = ()) -> Writing:
    """A new run in place of the last one of this key, with signals held if any are named.

    Raises:
        TextError: if nothing of the prompt is left in the alphabet.
    """
    writing = st.session_state[f"{key}_writing"] = Writing(model, prompt, settings, clamps)
    st.session_state.pop(f"{key}_at", None)
    return writing


def write_anew() -> None:
    """The next drawing of the page begins a new run. A callback: what a script does late, another click may cut off."""
    st.session_state.pop("gen_asked", None)


def current(key: str) -> Writing | None:
    """The run of this key, if there is one."""
    return st.session_state.get(f"{key}_writing")


def notices(model: TextGenerator, prompt: str, read: int) -> None:
    """One plain sentence for each thing that the network did not see as it was typed."""
    if len(prompt) > read:
        st.caption(f"The prompt has {len(prompt):,} characters; the network read the last {read:,}.")
    lost = model.alphabet.lost(prompt[-read:])
    if lost:
        signs = " ".join(f"“{sign}”" if sign.isprintable() else f"U+{ord(sign):04X}" for sign in lost[:12])
        st.caption(f"The network has never met {signs}{' and others' if len(lost) > 12 else ''}; left out.")
    if model.alphabet.folded(prompt) != prompt:
        st.caption("This network knows small letters only; capitals were read as small ones.")


def remember(model: str, prompt: str, settings: Settings) -> None:
    """Put the run into the address bar: the same link writes the same text."""
    held = clamp_editor.current("write")
    url_state.remember(
        **({"clamps": held} if held else {}),
        model=model,
        prompt=prompt[-url_state.LONGEST_IN_LINK // 4 :],
        temperature=f"{settings.temperature:g}",
        top_k=settings.top_k or 0,
        top_p=f"{settings.top_p or 1:g}",
        seed=settings.seed,
        length=settings.length,
    )
