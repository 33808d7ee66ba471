"""From the bytes of a `.keras` file to the graph of the network in it, without Keras; nothing in it is trusted.

Sizes are checked before anything is unpacked, classes before anything is used, and each stored array before it is read.
"""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.keras_file import (
    BROKEN,
    KERAS_FILE,
    LARGEST,
    LARGEST_PART,
    LARGEST_WEIGHT,
    MIB,
    check_size,
    check_weights,
    json_object,
    read_members,
)
from lstm_core.nn.saved import SavedLayer, SavedNetwork, as_float, group_name, is_quantized, weight_shapes
from lstm_core.tracing.graph import Graph, GraphLayer, Node, Ref
from lstm_core.tracing.graph_layers import KINDS
from lstm_core.tracing.graph_recurrent import CELLS
from lstm_core.tracing.inputs import MOST_TIMESTEPS

WAY = 'load it in Keras and save it again: model.save("net.keras")'
MOST_LAYERS, DEEPEST = 1_000, 12  # of layers; of networks inside networks
MOST_DEPTH = 120  # of the description
SIZES = ("units", "filters", "input_dim", "output_dim", "n", "size")
VOCABULARY = re.compile(r"assets/[\w/]{1,200}vocabulary\.txt")
NETWORKS = ("Functional", "Sequential")
HALF = "The half precision of the network was computed as float32."
_PARTS = {
    "LSTM": ("cell",), "GRU": ("cell",), "SimpleRNN": ("cell",), "RNN": ("cell",), "TimeDistributed": ("layer",),
    "Bidirectional": ("forward_layer", "backward_layer"),
}  # fmt: skip


def can_read(kind: str) -> bool:
    """Whether a class of Keras can be followed without Keras."""
    return kind in KINDS or kind in (*NETWORKS, *CELLS, "InputLayer", "StackedRNNCells")


def read_graph(data: bytes) -> Graph:
    """The network in the bytes of a `.keras` file.

    Raises:
        ModelError: in one sentence, naming the layer that can't be followed, or what is damaged.
    """
    import h5py

    config, parts = keras_members(data, "The network")
    check_weights(parts["model.weights.h5"])
    try:
        with h5py.File(io.BytesIO(parts["model.weights.h5"]), "r") as file:
            return _Reader(file, parts).network(config, "")
    except ModelError:
        raise
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ModelError(f"The description of the network is damaged ({str(error)[:80]}); get it again.") from error


def graph_of(network: SavedNetwork) -> Graph:
    """The graph of a network that is in memory; ModelError, naming the layer, if what it reads isn't known."""

    def layer(saved: SavedLayer) -> GraphLayer:
        parts = {place: layer(half) for place, half in zip(_PARTS["Bidirectional"], saved.halves, strict=False)}
        if saved.kind in _PARTS and not parts:
            parts = {"cell": GraphLayer(saved.name, f"{saved.kind}Cell", saved.settings, saved.weights)}
        return GraphLayer(saved.name, saved.kind, saved.settings, () if parts else saved.weights, parts)

    if problem := next((each.problem for each in network.layers if each.problem), ""):
        raise ModelError(problem)
    nodes = [
        Node(each.name, (refs if len(refs) > 1 else refs[0],), {})
        for each in network.layers
        if each.kind != "InputLayer"
        for refs in [[Ref(parent, 0, 0) for parent in each.parents]]
    ]
    inputs, outputs = ([Ref(name, 0, 0) for name in names] for names in (network.inputs, network.outputs))
    layers = {each.name: layer(each) for each in network.layers}
    return Graph(layers, tuple(nodes), tuple(inputs), outputs if len(outputs) > 1 else outputs[0])


def keras_members(data: bytes, what: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The description in a `.keras` file, and all its members by name; `what` is its name in a sentence.

    Raises:
        ModelError: if it is no such file, is too large, or its description is nested too deeply.
    """
    check_size(data, what, LARGEST)
    parts = read_members(data, what, LARGEST, {**LARGEST_PART, **dict.fromkeys(_vocabularies(data), 8 * MIB)})
    if missing := next((name for name in KERAS_FILE if name not in parts), ""):
        raise ModelError(f"{what} is no file of Keras 3: {missing} is missing in it.")
    config = json_object(parts["config.json"], "config.json")
    if _depth(config) > MOST_DEPTH:
        raise ModelError("The description of the network is nested too deeply.")
    return config, parts


def _depth(value: Any) -> int:
    """How deeply a description is nested; no more than is too deep is looked at."""
    level, depth = [value], 0
    while level and depth <= MOST_DEPTH:
        containers = [each for each in level if isinstance(each, Mapping | list)]
        level = [inner for each in containers for inner in (each.values() if isinstance(each, Mapping) else each)]
        depth += 1
    return depth


def _vocabularies(data: bytes) -> list[str]:
    """The names of at most 8 vocabularies in the archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [name for name in archive.namelist() if VOCABULARY.fullmatch(name)][:8]
    except (*BROKEN, UnicodeDecodeError):
        return []  # `read_members` says what is wrong


class _Reader:
    """Reads the parts of one file."""

    def __init__(self, file: Any, members: Mapping[str, bytes]) -> None:
        self.file, self.members = file, members
        self.notes: dict[str, None] = {}
        self.count = 0

    def network(self, entry: Mapping[str, Any], place: str, depth: int = 0) -> Graph:
        """A network and, recursively, those inside; `place` is the path of its arrays."""
        kind, settings = str(entry.get("class_name")), entry["config"]
        if kind not in NETWORKS or depth > DEEPEST:
            raise ModelError(
                f"The network is a {kind[:60]}, neither a functional nor a built Sequential model of Keras, so the "
                "file doesn't say what reads what; load it in Keras and trace that."
            )
        entries = {_name(each): each for each in settings["layers"]}
        if len(entries) < len(settings["layers"]):
            raise ModelError(f"Two layers of the network have the same name; {WAY}.")
        numbers: Counter[str] = Counter()
        layers = {}
        for name, each in entries.items():
            own = str(each["class_name"])
            layers[name] = self.layer(each, f"{place}layers/{group_name(own, numbers[own])}", depth)
            numbers[own] += 1
        if kind == "Functional":
            nodes = tuple(_in_order([node for each in settings["layers"] for node in _nodes(each)], entries))
            inputs = tuple(_refs(settings["input_layers"]))
            return Graph(layers, nodes, inputs, _outputs(settings["output_layers"]), tuple(self.notes))
        names = list(entries)
        if layers[names[0]].kind != "InputLayer":
            shape = settings.get("build_input_shape") or entry.get("build_config", {}).get("input_shape")
            if shape is None:
                raise ModelError(f"The network '{settings.get('name')}' isn't built, so it has no weights; {WAY}.")
            names = ["input", *names]
            layers["input"] = GraphLayer("input", "InputLayer", {"batch_shape": shape, "dtype": "float32"})
        nodes = tuple(Node(name, (Ref(before, 0, 0),), {}) for before, name in itertools.pairwise(names))
        return Graph(layers, nodes, (Ref(names[0], 0, 0),), Ref(names[-1], 0, 0), tuple(self.notes))

    def layer(self, entry: Mapping[str, Any], place: str, depth: int) -> GraphLayer:
        """A layer with its arrays; ModelError, naming it, if it can't be followed."""
        kind, name, settings = str(entry["class_name"]), _name(entry), entry["config"] or {}
        self.count += 1
        if self.count > MOST_LAYERS:
            raise ModelError(f"The network has more than {MOST_LAYERS:,} layers.")
        self._check(entry, kind, name, settings)
        if kind in NETWORKS:
            return GraphLayer(name, kind, settings, graph=self.network(entry, f"{place}/", depth + 1))
        if kind == "StackedRNNCells":
            numbers: Counter[str] = Counter()
            cells = {}
            for number, each in enumerate(settings["cells"]):
                own = str(each["class_name"])
                cells[str(number)] = self.layer(each, f"{place}/cells/{group_name(own, numbers[own])}", depth + 1)
                numbers[own] += 1
            return GraphLayer(name, kind, settings, parts=cells)
        parts = {}
        for part in _PARTS.get(kind, ()):
            inner = self._part(entry, settings, part)
            parts[part] = self.layer(inner, f"{place}/{part}", depth + 1)
        arrays = () if parts else tuple(self._arrays(place, kind, name, settings))
        return GraphLayer(name, kind, settings, arrays, parts, vocabulary=self._vocabulary(kind, place, settings))

    @staticmethod
    def _part(entry: Mapping[str, Any], settings: Mapping[str, Any], part: str) -> Mapping[str, Any]:
        """The description of a layer inside another one."""
        kind = str(entry["class_name"])
        if part == "cell" and kind != "RNN":  # stands in the layer's own settings
            return {"class_name": f"{kind}Cell", "name": settings["name"], "config": settings}
        if part == "forward_layer":
            return settings["layer"]
        if part == "backward_layer" and settings.get(part) is None:
            inner = settings["layer"]
            turned = {**inner["config"], "go_backwards": not inner["config"]["go_backwards"]}
            return {**inner, "config": turned}
        return settings[part]

    def _check(self, entry: Mapping[str, Any], kind: str, name: str, settings: Mapping[str, Any]) -> None:
        module, registered = str(entry.get("module", "keras")), entry.get("registered_name")
        if registered not in (None, kind) or not re.fullmatch(r"keras(\.[\w.]+)?|builtins", module):
            raise ModelError(
                f"Layer '{name}' is a {kind[:60]}, which isn't Keras's own; load the network where that is defined, "
                "and trace it there: lstm_core.trace(model, x)."
            )
        if not can_read(kind):
            raise ModelError(
                f"Layer '{name}' is a {kind[:60]}, which can't be followed from the file alone; load the network in "
                "Keras and trace that: lstm_core.trace(keras.saving.load_model(path), x)."
            )
        if kind != "InputLayer" and is_quantized(settings):
            raise ModelError(f"Layer '{name}' is quantized, which can't be followed; save the model before `quantize`.")
        if settings.get("lora_rank") is not None:
            raise ModelError(f"Layer '{name}' has LoRA weights beside its own, which can't be followed; merge them.")
        for size in SIZES:
            if size in settings and (type(settings[size]) is not int or settings[size] < 1):
                raise ModelError(
                    f"Layer '{name}' has {size}={str(settings[size])[:20]!r}; it must be a positive number."
                )
        shape = settings.get("batch_shape") or ()
        if kind == "InputLayer" and any(isinstance(each, int) and each > MOST_TIMESTEPS for each in shape):
            raise ModelError(
                f"The input '{name}' has the shape {str(shape)[:60]}; {MOST_TIMESTEPS:,} timesteps are the most."
            )
        policy = settings.get("dtype")
        policy = policy.get("config", {}).get("name") if isinstance(policy, Mapping) else policy
        if kind != "InputLayer" and "16" in str(policy):
            self.notes[HALF] = None

    def _arrays(self, place: str, kind: str, name: str, settings: Mapping[str, Any]) -> Iterator[Array]:
        """A layer's own arrays, each compared with what its settings say as far as they do."""
        group = self.file.get(f"{place}/vars")
        expected = list(weight_shapes(SavedLayer(name, CELLS.get(kind, kind), settings)))
        count = len(group) if group is not None else 0
        if expected and not count:
            raise ModelError(f"Layer '{name}' has no weights in the file; {WAY}.")
        if expected and count != len(expected):
            raise ModelError(f"Layer '{name}' has more or fewer arrays than its settings say; {WAY}.")
        for number in range(count):
            stored = group.get(str(number))
            whole = kind == "Normalization"  # it counts what it has seen
            if stored is None or stored.dtype.kind not in ("fiu" if whole else "f"):
                raise ModelError(f"Layer '{name}' has no weights in the file; {WAY}.")
            shape = stored.shape
            wanted = expected[number] if expected else shape
            if len(shape) != len(wanted) or any(a not in (None, b) for a, b in zip(wanted, shape, strict=True)):
                raise ModelError(f"Layer '{name}' has weights of shape {shape}, but its settings say {wanted}.")
            array = as_float(stored[()])
            if not np.abs(array).max(initial=0) <= LARGEST_WEIGHT:  # also where one of them is no number
                raise ModelError(f"Layer '{name}' has weights that are no numbers, or above {LARGEST_WEIGHT:.0e}.")
            yield array

    def _vocabulary(self, kind: str, place: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The tokens of a TextVectorization, without those for padding and for unknown ones."""
        if kind != "TextVectorization":
            return ()
        given = settings.get("vocabulary")
        if not isinstance(given, list):
            inside = (name for name in self.members if name.startswith(f"assets/{place}/"))
            content = self.members.get(next(inside, ""), b"")
            given = content.decode("utf-8", "replace").split("\n")
        return tuple(str(token) for token in given if token not in ("", "[UNK]"))


# --- Connections ----------------------------------------------------------------------------------


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or entry["config"]["name"])


def _nodes(entry: Mapping[str, Any]) -> Iterator[Node]:
    """The calls of a layer of a functional model."""
    for node in entry["inbound_nodes"]:
        if not isinstance(node, Mapping):
            raise ModelError(f"The network was saved by Keras 2; {WAY}.")
        yield Node(_name(entry), tuple(map(_with_refs, node["args"])), _with_refs(node["kwargs"]))


def _with_refs(value: Any) -> Any:
    """A structure in which references to other layers' outputs are `Ref`s."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            return _ref(value["config"]["keras_history"])
        return {key: _with_refs(each) for key, each in value.items()}
    return [_with_refs(each) for each in value] if isinstance(value, list) else value


def _ref(history: Any) -> Ref:
    layer, call, output = history[:3]
    return Ref(str(layer), int(call), int(output))


def _refs(ends: Any) -> list[Ref]:
    """The inputs of a network: one, a list or a dictionary of them."""
    if isinstance(ends, Mapping):
        return [_ref(each) for each in ends.values()]
    return [_ref(ends)] if isinstance(ends[0], str) else [_ref(each) for each in ends]


def _outputs(ends: Any) -> Any:
    if isinstance(ends, Mapping):
        return {key: _outputs(each) for key, each in ends.items()}
    return _ref(ends) if isinstance(ends[0], str) else [_outputs(each) for each in ends]


def _in_order(nodes: list[Node], entries: Mapping[str, Any]) -> Iterator[Node]:
    """Each node behind those that it reads from."""
    done = {(name, 0) for name, each in entries.items() if each["class_name"] == "InputLayer"}
    calls: Counter[str] = Counter()
    numbered = []
    for node in nodes:
        numbered.append((calls[node.layer], node))
        calls[node.layer] += 1
    while numbered:
        waiting = []
        for number, node in numbered:
            # The calls of one layer keep their order: it says their numbers.
            if (number and (node.layer, number - 1) not in done) or not {
                (ref.layer, ref.call) for ref in refs_in(node)
            } <= done:
                waiting.append((number, node))
                continue
            done.add((node.layer, number))
            yield node
        if len(waiting) == len(numbered):
            raise ModelError(f"Layer '{waiting[0][1].layer}' reads from one that the file doesn't have; {WAY}.")
        numbered = waiting


def refs_in(value: Any) -> Iterator[Ref]:
    """The outputs that a node, or a structure of arguments, reads."""
    if isinstance(value, Node):
        yield from refs_in([value.args, value.kwargs])
    elif isinstance(value, Ref):
        yield value
    elif isinstance(value, Mapping):
        yield from refs_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from refs_in(each)
