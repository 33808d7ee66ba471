"""The recurrent family's recursive network: a bracketed sentence, the tree, every node's vector and answer.

Draws the view and returns what a link to it must say. What is computed is in `lstm_core.inference.tree_rnn`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from lstm_core.datasets import LABELS, MOST_CHARACTERS, STRENGTH, TRAINED_DEPTH, Piece, bracketings, meaning, parse_tree
from lstm_core.errors import ModelError, TextError
from lstm_core.inference import MIDDLE, TreeReader, TreeReading
from ui.common import charts, model_cache, url_state
from ui.recurrent_family import state_charts, tree_charts

MODEL = "negation_tree"
PRESETS = {
    "Two judgements": "((not bad) and (very good))",
    "One order of words": "(not (bad but good))",
    "Same words, other brackets": "((not bad) but good)",
    "Not not great": "(not (not great))",
    "A hard one": "((very (very (very (very (poor and great))))) and (average and great))",
    "Deeper than in training": "(not ((very (not (bad but (not poor)))) but ((poor and great) but (very (not fine)))))",
}
MOST_IN_LINK = MOST_CHARACTERS + 1  # of what was typed; a longer one stays too long in a link
MOST_BRACKETINGS = 60  # rows of a table


def show() -> dict[str, str | int]:
    """The whole view."""
    st.markdown(
        "A sentence is a row of words, but what it says hangs together like a tree: *not* turns what its bracket "
        "holds, and nothing else. A **recursive** network walks up the tree and, at each bracket, makes one vector out "
        "of the two inside it, always with the same weights. **Can the same words in the same order mean something "
        "else to it?**"
    )
    st.session_state.setdefault("tree_text", url_state.parameter("sentence", PRESETS["Two judgements"]))
    _presets()
    text = st.text_input(
        "A bracketed sentence", key="tree_text", persist_state="session",
        help=f"Words: {', '.join(STRENGTH)}. Brackets: (not X), (very X), (X and Y), (X but Y).",
    )  # fmt: skip
    shown: dict[str, str | int] = {"sentence": text[:MOST_IN_LINK]}
    reading = None
    try:
        model = model_cache.model(TreeReader, MODEL)
        reading = model.read(text)
        shown |= _reading(reading, model)
    except TextError as error:
        st.error(str(error))
    except ModelError as error:
        st.error(str(error))
        return shown
    _by_depth(model, reading.tree.depth if reading else None)
    _words(model, reading)
    return shown


def _presets() -> None:
    def put() -> None:
        if st.session_state["tree_preset"] is not None:
            st.session_state["tree_text"] = PRESETS[st.session_state["tree_preset"]]

    now = st.session_state["tree_text"]
    st.session_state["tree_preset"] = next((name for name, text in PRESETS.items() if text == now), None)
    st.pills("Begin with", list(PRESETS), key="tree_preset", on_change=put)


# --- The tree and one of its nodes ---------------------------------------------------------------


def _reading(reading: TreeReading, model: TreeReader) -> dict[str, str | int]:
    st.markdown(f"#### {verdict(reading)}")
    root = len(reading.pieces) - 1
    key = f"tree_node_{url_state.fingerprint(str(reading.tree))}"
    of_link = url_state.parameter("sentence", "") == st.session_state["tree_text"]  # else its node is another tree's
    st.session_state.setdefault(key, url_state.number("node", root, 0, root) if of_link else root)
    chosen = int(st.session_state[key])
    figure = tree_charts.tree(
        places_of(reading),
        [(piece.left, piece.right) for piece in reading.pieces],
        [piece.word for piece in reading.pieces],
        [piece.text for piece in reading.pieces],
        [None if piece.value is None else int(answer) + MIDDLE for piece, answer in _rows(reading)],
        LABELS,
        reading.wrong,
        chosen,
    )
    drawing = f"{key}_drawing"

    def clicked() -> None:
        points = st.session_state[drawing]["selection"]["points"]
        places = [point["customdata"][0] for point in points if point.get("customdata")]
        if places and 0 <= places[0] <= root:
            st.session_state[key] = int(places[0])

    st.plotly_chart(
        figure, config=charts.CONFIG, key=drawing, on_select=clicked, selection_mode="points", alt=_in_words(reading)
    )
    st.caption(
        "Click a circle, or choose a node below. A small grey node is an operator or half a sentence, such as *and "
        "good*: it has a vector too, but no answer was asked of it."
    )
    st.selectbox(
        "Node", range(root, -1, -1), format_func=lambda place: reading.pieces[place].text, key=key,
        persist_state="session",
    )  # fmt: skip
    _node(reading, int(st.session_state[key]), model)
    return {"node": int(st.session_state[key])}


def _rows(reading: TreeReading) -> list[tuple[Piece, int]]:
    return [(piece, int(answer)) for piece, answer in zip(reading.pieces, reading.answers, strict=True)]


def places_of(reading: TreeReading) -> np.ndarray:
    """Where each piece is drawn, (n, 2): words in the order of the sentence at the bottom, parents above the middle."""
    found = np.zeros((len(reading.pieces), 2))
    leaves = 0
    for place, piece in enumerate(reading.pieces):
        if piece.word:
            found[place] = leaves, 0
            leaves += 1
        else:
            both = found[[piece.left, piece.right]]
            found[place] = both[:, 0].mean(), both[:, 1].max() + 1
    return found


def label(value: int) -> str:
    """A meaning from -2 to 2 as people say it."""
    return LABELS[value + MIDDLE]


def verdict(reading: TreeReading) -> str:
    """The answer for the whole and the truth, in one sentence."""
    answer, truth = int(reading.answers[-1]), reading.pieces[-1].value or 0
    sure = reading.probabilities[-1].max()
    begin = f"The network says: {label(answer)}, {sure:.1%} sure"
    asked = sum(piece.value is not None for piece in reading.pieces)
    if answer != truth:
        return f"{begin}. The rules say: {label(truth)}."
    right = asked - len(reading.wrong)
    return f"{begin}. The rules say so too, and {right} of {asked} nodes are right."


def _in_words(reading: TreeReading) -> str:
    return "Tree. " + "; ".join(
        f"{piece.text}: {label(answer)}" for piece, answer in reversed(_rows(reading)) if piece.value is not None
    )


def _node(reading: TreeReading, place: int, model: TreeReader) -> None:
    piece = reading.pieces[place]
    left, right = st.columns([3, 2], gap="large")
    with left:
        rows = {"this node": reading.vectors[place]}
        if not piece.word:
            rows |= {"left child": reading.vectors[piece.left], "right child": reading.vectors[piece.right]}
        units = reading.vectors.shape[1]
        st.caption(
            f"The vector of '{piece.text}', {units} numbers{'' if piece.word else ', and what it was made from'}"
        )
        length = np.linalg.norm(reading.vectors[place])
        alt = f"Strips: vectors of {units} units; that of '{piece.text}' is {length:.1f} long."
        st.plotly_chart(tree_charts.strips(rows), config=charts.CONFIG, key="tree_strips", alt=alt)
    with right:
        if piece.value is None:
            st.markdown(
                f"**{piece.text}** has no meaning of its own; its vector says what it will do to its neighbour. No "
                "answer was asked of it in training."
            )
            return
        st.caption(f"The answer at '{piece.text}'; by the rules it is {label(piece.value)}")
        probabilities = reading.probabilities[place]
        alt = ", ".join(f"{name} {value:.1%}" for name, value in zip(LABELS, probabilities, strict=True))
        figure = charts.answer_bars(LABELS, probabilities, tree_charts.class_colours())
        st.plotly_chart(figure, config=charts.CONFIG, key="tree_answer", alt=alt)


# --- Measured, and in words ----------------------------------------------------------------------


def _by_depth(model: TreeReader, now: int | None) -> None:
    measured: dict[str, Any] = model.card.measured.get("by_depth", {})
    if not measured:
        return
    st.markdown("#### How it goes with the depth")
    sizes = measured["depth"]
    curves = {"whole sentences right": measured["accuracy"], "the most frequent answer": measured["guessing"]}
    figure = state_charts.by_size(sizes, curves, (sizes[0], TRAINED_DEPTH), "brackets within one another", now)
    last = sizes.index(TRAINED_DEPTH)
    sentence = (
        f"With {sizes[last]} brackets within one another, the most it was trained on, "
        f"**{measured['accuracy'][last]:.1%}** of new sentences are right; with {sizes[-1]}, and "
        f"{measured['words'][-1]:.0f} words on average, **{measured['accuracy'][-1]:.1%}**. Always to give the most "
        f"frequent answer would make {measured['guessing'][-1]:.0%}."
    )
    st.plotly_chart(figure, config=charts.CONFIG, key="tree_depths", alt=f"Lines. {sentence.replace('**', '')}")
    st.markdown(sentence)
    st.caption(
        f"Measured on {min(measured['count'])} and more sentences a depth, none of them trained on or part of one that "
        f"was, by `python -m lstm_core evaluate {MODEL}`."
    )


def _words(model: TreeReader, reading: TreeReading | None) -> None:
    st.markdown(
        "A chain of words is a tree too, one that leans to one side: a plain RNN is a recursive network whose left "
        "child is always all that was read so far. Here the brackets choose who meets whom first. The matrix is the "
        "same at every node, so a sentence may be as deep as it likes; the vector stays the same size, and whatever is "
        "needed further up must fit into it."
    )
    st.markdown(
        "The truth is computed by rules of our own. Each word has a strength from very bad to very good; *not* turns "
        "the side and takes the edge off (not great is bad, not awful is good), *very* goes to the end of the side, "
        "*and* is the mean of both, rounded towards so-so, and with *but* only what comes after it counts. The network "
        "was never told the rules. It has seen brackets with their answers."
    )
    st.latex(r"p=\tanh\!\left(W\begin{bmatrix}p_{\text{left}}\\p_{\text{right}}\end{bmatrix}+b\right)")
    st.latex(r"y_p=\mathrm{softmax}(Vp+a)")
    _try_this(model, reading)
    st.caption(
        "Sources: Pollack 1990; Goller & Küchler 1996; Socher, Lin, Ng & Manning 2011; Socher et al. 2013, whose "
        "sentiment treebank has an answer at every node, too. An LSTM for trees: Tai, Socher & Manning 2015."
    )


def _try_this(model: TreeReader, reading: TreeReading | None) -> None:
    with st.expander("Try this: every way to put the brackets"):
        words = reading.tree.words if reading else parse_tree(PRESETS["Same words, other brackets"]).words
        found = bracketings(words, MOST_BRACKETINGS)
        truth = [meaning(tree) for tree in found]
        answers = model.answers(found)
        right = int((answers == np.array(truth)).sum())
        said = {label(value) for value in truth}
        meanings = ", ".join(sorted(said, key=LABELS.index))
        st.markdown(
            f"*{' '.join(words)}*: {len(found)}{' and more' if len(found) == MOST_BRACKETINGS else ''} "
            f"{'tree has' if len(found) == 1 else 'trees have'} these words in this order, and they mean "
            f"{len(said)} different {'thing' if len(said) == 1 else 'things'}: {meanings}. "
            f"The network gets {right} of {len(found)} right. A network that reads the words one after the other gets "
            "the same row of words each time, and can give but one answer to all of them."
        )
        table = pd.DataFrame(
            {
                "sentence": [str(tree) for tree in found],
                "by the rules": [label(value) for value in truth],
                "the network": [label(int(value)) for value in answers],
            }
        )
        st.dataframe(table, hide_index=True, column_config={"sentence": st.column_config.Column(width="large")})
