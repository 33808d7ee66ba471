"""Hostile uploads, made from a good bundle: for each its name, its bytes, and words of the sentence that refuses it."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np

from lstm_core.library.card import CARD
from lstm_core.library.store import VOCABULARY, WEIGHTS

Files = dict[str, bytes]
Attack = tuple[str, bytes, str]
PICTURE = b"\x89PNG\r\n\x1a\n" + b"0" * 100


def zipped(files: Files, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def unzipped(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def attacks(files: Files) -> Iterator[Attack]:
    """Every attack on a bundle of these files, which must be good: a classifier with one LSTM."""
    yield from _archives(files)
    yield from _texts(files)
    for name, data, words in (*_networks(unzipped(files[WEIGHTS])), *_arrays(unzipped(files[WEIGHTS]))):
        yield name, zipped(files | {WEIGHTS: data}), words


# --- The zip file ---------------------------------------------------------------------------------


def _archives(files: Files) -> Iterator[Attack]:
    good = zipped(files)
    yield "nothing", b"", "no zip archive"
    yield "a picture", PICTURE, "no zip archive"
    yield "PK and no more", b"PK nonsense", "damaged"
    yield "truncated", good[:-40], "damaged"
    yield "half", good[: len(good) // 2], "damaged"
    yield "65 MiB", b"PK" + bytes(65 * 2**20), "64 MiB is the most"
    yield "a Keras file alone", files[WEIGHTS], "a Keras network alone"
    for path in ("../../evil", "/etc/cron.d/x", "C:\\evil", "model.keras/../x", "tiny/model.keras", "evil.py", "a\0b"):
        yield f"the path {path!r}", zipped(files | {path: b"x"}), "it may hold"
    yield "5,000 files", zipped({f"{number}.txt": b"" for number in range(5000)}), "holds 5,000 files"
    for name in files:
        rest = {other: content for other, content in files.items() if other != name}
        yield f"no {name}", zipped(rest), f"{name} is missing"
        yield f"{name} as a link", _with_member(rest, name, b"/etc/passwd", 0o120777), "link"
        yield f"{name} twice", _with_member(files, name, files[name]), "twice"
    bomb = zipped(files | {CARD: b" " * 40_000_000})
    yield "a bomb", bomb, "too large once unpacked"
    yield "a bomb that states another size", bomb.replace(*(struct.pack("<I", size) for size in (40_000_000, 100))), ""
    yield "a bomb in the network", zipped(files | {WEIGHTS: bytes(200_000_000)}), "too large once unpacked"
    encrypted = bytearray(good)
    for at in range(len(good) - 4):  # the flag of encryption in every header
        if good[at : at + 4] in (b"PK\1\2", b"PK\3\4"):
            encrypted[at + (8 if good[at + 2] == 1 else 6)] |= 1
    yield "encrypted", bytes(encrypted), "encrypted|damaged"


def _with_member(files: Files, name: str, content: bytes, mode: int = 0o100644) -> bytes:
    out = io.BytesIO(zipped(files))
    with warnings.catch_warnings(), zipfile.ZipFile(out, "a") as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, content)
    return out.getvalue()


# --- The card and the vocabulary ------------------------------------------------------------------


def _texts(files: Files) -> Iterator[Attack]:
    for name in (CARD, VOCABULARY):
        for content in (b"", b"not json", b"[" * 100_000, b"\xff\xfe\0", b'{"a": 1'):
            yield f"{name} {content[:8]!r}", zipped(files | {name: content}), f"{name} holds no JSON"
        yield f"{name} [1]", zipped(files | {name: b"[1]"}), f"{name} holds no JSON object"
        yield f"{name} {{}}", zipped(files | {name: b"{}"}), "damaged"
        surrogate = json.dumps(json.loads(files[name]) | {"title": "\udc00", "tokens": ["\ud800"]}).encode()
        yield f"{name} with a lone surrogate", zipped(files | {name: surrogate}), "half a character"
    card, vocabulary = json.loads(files[CARD]), json.loads(files[VOCABULARY])
    cards: dict[str, tuple[dict[str, Any], str]] = {
        "an unknown task": ({"task": "oracle"}, "'oracle', which this version doesn't know"),
        "another task": ({"task": "generator"}, "damaged"),
        "no labels": ({"labels": []}, "0 labels"),
        "a label too many": ({"labels": [*card["labels"], "more"]}, "4 labels"),
        "a title of numbers": ({"title": [1]}, "title is not a text"),
        "a title with a line break": ({"title": "a\nb"}, "can't be shown"),
        "a long label": ({"labels": ["a", "b", "c" * 81]}, "81 characters"),
        "a million facts": ({"training": {"x": "y" * 1_000_000}}, "says too much"),
    }
    for name, (change, words) in cards.items():
        yield f"a card with {name}", zipped(files | {CARD: json.dumps(card | change).encode()}), words
    vocabularies: dict[str, tuple[dict[str, Any], str]] = {
        "a word too few": ({"tokens": vocabulary["tokens"][1:]}, "the vocabulary has"),
        "numbers for words": ({"tokens": [1, 2]}, "not a list of texts"),
        "pairs": ({"pairs": [[1, 2]]}, "the vocabulary has"),
        "a length of a billion": ({"length": 10**9, "padding": "back"}, "length is"),
        "a length below 1": ({"length": 0}, "length is"),
        "no such tokenizer": ({"tokenizer": "eval"}, "unknown tokenizer"),
        "pads that the network skips": ({"padding": "front"}, "padded"),
    }
    for name, (change, words) in vocabularies.items():
        data = json.dumps(vocabulary | change).encode()
        yield f"a vocabulary with {name}", zipped(files | {VOCABULARY: data}), words


# --- The network ----------------------------------------------------------------------------------


def _networks(inside: Files) -> Iterator[Attack]:
    def changed(edit: Callable[[dict[str, Any]], object]) -> bytes:
        config = json.loads(inside["config.json"])
        edit(config)
        return zipped(inside | {"config.json": json.dumps(config).encode()})

    def layer(kind: str, **new: Any) -> bytes:
        return changed(lambda config: found(config, kind).update(new))

    def setting(kind: str, **new: Any) -> bytes:
        return changed(lambda config: found(config, kind)["config"].update(new))

    def called(kind: str, **new: Any) -> bytes:
        return changed(lambda config: found(config, kind)["inbound_nodes"][0]["kwargs"].update(new))

    def deep(config: dict[str, Any]) -> None:
        nested: Any = {}
        for _ in range(200):
            nested = {"config": nested}
        config["config"]["extra"] = nested

    def many(config: dict[str, Any]) -> None:
        dropout = {"module": "keras.layers", "class_name": "Dropout", "registered_name": None}
        config["config"]["layers"] += [{**dropout, "name": f"d{n}", "config": {"name": f"d{n}"}} for n in range(4000)]

    def swapped(config: dict[str, Any]) -> None:
        layers = config["config"]["layers"]
        layers[-1], layers[-2] = layers[-2], layers[-1]

    yield "no config", zipped({"model.weights.h5": inside["model.weights.h5"]}), "config.json is missing"
    yield "no weights", zipped({"config.json": inside["config.json"]}), "model.weights.h5 is missing"
    yield "the network a picture", PICTURE, "no zip archive"
    yield "the network nothing", b"", "no zip archive"
    yield "a member of code", zipped(inside | {"assets/x.py": b"x"}), "it may hold"
    for content in (b"{", b"[1, 2]", b"\xff"):
        yield f"the config {content!r}", zipped(inside | {"config.json": content}), "holds no JSON"
    yield "nested deeply", changed(deep), "nested too deeply|damaged"
    yield "4,000 layers", changed(many), "more than 200"
    yield "no layers", changed(lambda config: config["config"].update(layers=[])), "damaged|aren't layers"
    yield "a model of no kind", changed(lambda config: config.update(class_name="Evil")), "neither a Sequential"
    yield "a lambda", layer("LSTM", class_name="Lambda", registered_name="Lambda"), "'Lambda', which is not supported"
    yield "a convolution", layer("LSTM", class_name="Conv1D"), "'Conv1D', which is not supported"
    yield "a class of the system", layer("LSTM", module="os", class_name="system"), "isn't Keras's own"
    yield "a registered class", layer("LSTM", registered_name="evil>Layer"), "isn't Keras's own"
    yield "a layer of another module", layer("LSTM", module="keras.losses"), "of its own"
    yield "a shared object", layer("LSTM", shared_object_id=1), "also another layer"
    yield "two names", layer("LSTM", name="other"), "damaged|also another|Keras's order"
    yield "another order", changed(swapped), "Keras's order"
    for kind, new, words in (
        ("LSTM", {"units": 10**9}, "weights of shape"),
        ("LSTM", {"units": 8000}, "weights of shape"),
        ("LSTM", {"units": -1}, "positive number"),
        ("LSTM", {"units": True}, "positive number"),
        ("LSTM", {"units": "5"}, "positive number"),
        ("LSTM", {"use_bias": False}, "more or fewer arrays"),
        ("LSTM", {"use_bias": 1}, "true or false"),
        ("LSTM", {"return_sequences": False}, "reads no sequence"),
        ("LSTM", {"return_sequences": None}, "true or false"),
        ("LSTM", {"stateful": True}, "stateful"),
        ("LSTM", {"activation": "glu"}, "activation='glu'"),
        ("LSTM", {"activation": {"class_name": "function", "config": "eval", "module": "builtins"}}, "eval"),
        ("LSTM", {"dtype": "mixed_float16"}, "dtype mixed_float16"),
        ("LSTM", {"dtype": "int8_from_float32"}, "quantized"),
        ("LSTM", {"name": "other"}, "also another"),
        ("Dense", {"quantization_config": {"class_name": "X", "config": {}}}, "quantized"),
        ("Dense", {"lora_rank": 4}, "LoRA"),
        ("Dense", {"activation": "linear"}, "aren't probabilities"),
        ("Embedding", {"input_dim": 10**12}, "weights of shape"),
        ("InputLayer", {"batch_shape": [None, 10**9]}, "timesteps"),
        ("InputLayer", {"batch_shape": [None, None, 10**9]}, "sequence|shape|fit"),
        ("InputLayer", {"batch_shape": [None, 7]}, "exactly 7"),
        ("InputLayer", {"dtype": "int8"}, "dtype int8"),
        ("GlobalMaxPooling1D", {"keepdims": True}, "another axis"),
        ("GlobalMaxPooling1D", {"data_format": "channels_first"}, "another axis"),
    ):
        yield f"{kind} with {new}", setting(kind, **new), words
    yield "dropout that goes on", called("Dropout", training=True), "called with training"
    yield "a mask of numbers", called("LSTM", mask=[[True]]), "called with mask|Keras's order"
    yield "no inbound nodes", layer("LSTM", inbound_nodes=7), "damaged"
    yield "an unused layer", layer("LSTM", inbound_nodes=[]), "Keras's order|damaged"


def found(config: dict[str, Any], kind: str) -> dict[str, Any]:
    """The description of the first layer of a kind."""
    return next(each for each in config["config"]["layers"] if each["class_name"] == kind)


# --- The arrays -----------------------------------------------------------------------------------


def _arrays(inside: Files) -> Iterator[Attack]:
    cell = "layers/lstm/cell/vars"

    def made(edit: Callable[[h5py.File], object], fresh: bool = False) -> bytes:
        data = io.BytesIO(b"" if fresh else inside["model.weights.h5"])
        with h5py.File(data, "w" if fresh else "r+") as file:
            edit(file)
        return zipped(inside | {"model.weights.h5": data.getvalue()})

    def put(file: h5py.File, array: Any, **options: Any) -> None:
        del file[f"{cell}/0"]
        file.create_dataset(f"{cell}/0", data=array, **options)

    def huge(file: h5py.File) -> None:
        """The product of the sizes is 2 to the 64th: 0 as a number of 64 bits."""
        file.create_dataset("huge", (2**32, 2**32), "float32", chunks=(16, 16))

    def circles(file: h5py.File) -> None:
        for number in range(8):
            file[f"again{number}"] = file["/"]

    def external(file: h5py.File) -> None:
        file.create_dataset("x", (4,), "float32", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])

    def objects(file: h5py.File) -> None:
        for number in range(10_001):
            file.create_group(f"{number}")

    def value(number: float) -> bytes:
        return made(lambda file: file[f"{cell}/1"].__setitem__((0, 0), number))

    yield "weights of junk", zipped(inside | {"model.weights.h5": b"junk"}), "weights are damaged"
    weights = inside["model.weights.h5"]
    yield "weights cut in half", zipped(inside | {"model.weights.h5": weights[: len(weights) // 2]}), "damaged"
    one = (5000, 5000)
    yield "a compressed bomb", made(lambda f: f.create_dataset("x", one, "f4", compression="gzip"), True), "95 MiB"
    yield "sizes beyond 64 bits", made(huge), "MiB is the most"
    chunk = {"chunks": (2**30 - 1,), "maxshape": (None,)}
    yield "one chunk of 4 GB", made(lambda f: f.create_dataset("x", (1,), "f4", **chunk)), "MiB is the most"
    yield "hard links in circles", made(circles, True), "link one object twice"
    yield "an array linked twice", made(lambda f: f.__setitem__("again", f[f"{cell}/0"])), "link one object twice"
    yield "a soft link", made(lambda f: f.__setitem__("x", h5py.SoftLink("/layers"))), "link to another"
    yield (
        "an external link",
        made(lambda f: f.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/x"))),
        "link to another",
    )
    yield "an external array", made(external), "link to another"
    yield "10,001 groups", made(objects, True), "more than 10,000"
    yield "another shape", made(lambda f: put(f, np.zeros((3, 20), "f4"))), "don't fit each other"
    yield "text for numbers", made(lambda f: put(f, np.array([b"x"] * 4))), "has no weights"
    yield "whole numbers", made(lambda f: put(f, np.zeros((4, 20), "i4"))), "has no weights"
    yield "an array too many", made(lambda f: f.__setitem__(f"{cell}/3", np.zeros(3, "f4"))), "more or fewer arrays"
    yield "an array missing", made(lambda f: f.__delitem__(f"{cell}/2")), "more or fewer arrays"
    yield "a layer missing", made(lambda f: f.__delitem__("layers/lstm")), "has no weights"
    for number in (float("nan"), float("inf"), 1e38, -1e38):
        yield f"a weight of {number}", value(number), "weights that are no numbers"
