"""The recursive network of the recurrent family: a bracketed sentence, its tree, and the answer at every node."""

import numpy as np
import pandas as pd
import streamlit as st

from lstm_core.datasets import LABELS, STRENGTH, TRAINED_DEPTH, bracketings, meaning, parse_tree
from lstm_core.inference import MIDDLE, TreeReader, TreeReading
from ui.common import assets, charts, model_cache, plotting, presets, url_state
from ui.common.errors import show_errors
from ui.common.explanations import explain
from ui.common.url_state import in_link
from ui.recurrent_family import charts as family_charts
from ui.recurrent_family import tree_charts
from ui.recurrent_family.tree_charts import Node

MODEL = "negation_tree"
PRESETS: dict[str, str] = assets.table("presets.toml")["tree"]
MAX_BRACKETINGS = 60  # rows of the table


def show() -> None:
    """The whole view."""
    explain("tree")
    text, _ = presets.text_input(
        "A bracketed sentence", PRESETS, "tree_text", "sentence", PRESETS["Two judgements"],
        help=f"Words: {', '.join(STRENGTH)}. Brackets: (not X), (very X), (X and Y), (X but Y).",
    )  # fmt: skip
    reading = None
    with show_errors():
        model = model_cache.model(TreeReader, MODEL)
        with show_errors():
            reading = model.read(text)
            _reading(reading)
        _by_depth(model, reading.tree.depth if reading else None)
        _explanation(model, reading)


def _reading(reading: TreeReading) -> None:
    """The verdict, the tree, and one of its nodes, which can be clicked."""
    st.markdown(f"#### {verdict(reading)}")
    root = len(reading.pieces) - 1
    key = f"tree_node_{url_state.fingerprint(str(reading.tree))}"
    same = (
        url_state.parameter("sentence", "") == st.session_state["tree_text"]
    )  # else the link's node is another tree's
    if not url_state.is_set(key, "node"):
        st.session_state[key] = url_state.number("node", root, 0, root) if same else root
    figure = tree_charts.tree(nodes_of(reading), LABELS, reading.wrong, int(st.session_state[key]))
    drawing = f"{key}_drawing"

    def clicked() -> None:
        points = st.session_state[drawing]["selection"]["points"]
        places = [point["customdata"][0] for point in points if point.get("customdata")]
        if places and 0 <= places[0] <= root:
            st.session_state[key] = int(places[0])

    pairs = reversed(list(zip(reading.pieces, reading.answers, strict=True)))
    alt = "Tree. " + "; ".join(f"{piece.text}: {label(a)}" for piece, a in pairs if piece.value is not None)
    config = plotting.CONFIG
    figure = plotting.fitted(figure)
    st.plotly_chart(figure, config=config, key=drawing, on_select=clicked, selection_mode="points", alt=alt)
    explain("tree_nodes")
    place = st.selectbox(
        "Node", range(root, -1, -1), format_func=lambda place: reading.pieces[place].text, key=key,
        persist_state="session",
    )  # fmt: skip
    _node(reading, place)
    in_link(node=place)


def nodes_of(reading: TreeReading) -> list[Node]:
    """The nodes of a tree with their places: leaves in the order of the sentence, parents above the middle."""
    nodes: list[Node] = []
    leaves = 0
    for piece, answer in zip(reading.pieces, reading.answers, strict=True):
        x, y, children = float(leaves), 0.0, tuple[int, ...]()
        if piece.word:
            leaves += 1
        else:
            children = (piece.left, piece.right)
            x = (nodes[piece.left].x + nodes[piece.right].x) / 2
            y = max(nodes[piece.left].y, nodes[piece.right].y) + 1
        target = None if piece.value is None else int(answer) + MIDDLE
        nodes.append(Node(x, y, children, piece.word, piece.text, target))
    return nodes


def label(value: int) -> str:
    """The name of a meaning from -2 to 2."""
    return LABELS[value + MIDDLE]


def verdict(reading: TreeReading) -> str:
    """The answer for the whole sentence and the true one, in one or two sentences."""
    answer, truth = int(reading.answers[-1]), reading.pieces[-1].value or 0
    predicted = f"Prediction: {label(answer)} ({reading.probabilities[-1].max():.1%})."
    if answer != truth:
        return f"{predicted} By the rules: {label(truth)}."
    targets = sum(piece.value is not None for piece in reading.pieces)
    return f"{predicted} The rules agree, and {targets - len(reading.wrong)} of {targets} nodes are right."


def _node(reading: TreeReading, place: int) -> None:
    """The vector of a node with those of its children, and the answer at the node."""
    piece = reading.pieces[place]
    left, right = st.columns([3, 2], gap="large")
    with left:
        rows = {"this node": reading.vectors[place]}
        if not piece.word:
            rows |= {"left child": reading.vectors[piece.left], "right child": reading.vectors[piece.right]}
        units, norm = reading.vectors.shape[1], np.linalg.norm(reading.vectors[place])
        st.caption(f"The vector of '{piece.text}', {units} units{'' if piece.word else ', and those of its children'}")
        alt = f"Heat map: vectors of {units} units; the norm of that of '{piece.text}' is {norm:.1f}."
        plotting.show(tree_charts.vectors(rows), "tree_strips", alt)
    with right:
        if piece.value is None:
            st.markdown(f"**{piece.text}** has no meaning of its own and no target in training.")
            return
        st.caption(f"The answer at '{piece.text}'; by the rules it is {label(piece.value)}")
        probabilities = reading.probabilities[place]
        alt = ", ".join(f"{name} {value:.1%}" for name, value in zip(LABELS, probabilities, strict=True))
        figure = charts.answer_bars(LABELS, probabilities, tree_charts.class_colours())
        plotting.show(figure, "tree_answer", alt)


def _by_depth(model: TreeReader, current: int | None) -> None:
    measured = model.card.measured.get("by_depth")
    if not measured:
        return
    sizes, accuracy, guessing = measured["depth"], measured["accuracy"], measured["guessing"]
    last = sizes.index(TRAINED_DEPTH)
    sentence = (
        f"At depth {sizes[last]}, the deepest of the training set, **{accuracy[last]:.1%}** of new sentences are "
        f"right; at depth {sizes[-1]}, with {measured['words'][-1]:.0f} words on average, **{accuracy[-1]:.1%}**. "
        f"Always predicting the most frequent answer gives {guessing[-1]:.0%}."
    )
    st.markdown("#### Accuracy by depth")
    curves, trained = {"whole sentences": accuracy, "the most frequent answer": guessing}, (sizes[0], TRAINED_DEPTH)
    figure = family_charts.accuracy_by_size(sizes, curves, trained, "depth (nested brackets)", current)
    plotting.show(figure, "tree_depths", f"Lines. {sentence.replace('**', '')}")
    st.markdown(sentence)
    st.caption(
        f"Measured on at least {min(measured['count'])} sentences of each depth, none of which is in the training set "
        f"or part of a sentence there, by `python -m lstm_core evaluate {MODEL}`."
    )


def _explanation(model: TreeReader, reading: TreeReading | None) -> None:
    explain("tree_explained")
    with st.expander("Try this: all bracketings", key="tree_try", on_change="rerun") as panel:
        if panel.open:
            words = reading.tree.words if reading else parse_tree(PRESETS["Same words, other brackets"]).words
            _bracketings(model, words)
    explain("tree_sources")


def _bracketings(model: TreeReader, words: tuple[str, ...]) -> None:
    """The true and the predicted meaning of every tree over these words."""
    found = bracketings(words, MAX_BRACKETINGS)
    truth = [meaning(tree) for tree in found]
    answers = [int(answer) for answer in model.answers(found)]
    right = sum(answer == true for answer, true in zip(answers, truth, strict=True))
    meanings = sorted(map(label, set(truth)), key=LABELS.index)
    trees, several = f"{len(found)}{' or more' if len(found) == MAX_BRACKETINGS else ''}", len(found) > 1
    st.markdown(
        f"*{' '.join(words)}*: {trees} {'trees have' if several else 'tree has'} these words in this order, with "
        f"{len(meanings)} different {'meaning' if len(meanings) == 1 else 'meanings'}: {', '.join(meanings)}. The "
        f"network is right for {right} of {len(found)}. A network that reads the words as a sequence can give only "
        "one answer to all of them."
    )
    table = {
        "sentence": [str(tree) for tree in found],
        "by the rules": [label(value) for value in truth],
        "the network": [label(value) for value in answers],
    }
    large = {"sentence": st.column_config.Column(width="large")}
    st.dataframe(pd.DataFrame(table), hide_index=True, column_config=large)
