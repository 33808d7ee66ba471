"""Hostile files of PyTorch's formats, made without torch: name, file name, bytes, words of the refusal."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import safetensors.numpy

from tests.hostile.corpus import PICTURE, unzipped, zipped

Attack = tuple[str, str, bytes, str]


class Runs:
    """Runs a command when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> Any:
        return self.function, self.arguments


def attacks(checkpoint: bytes) -> Iterator[Attack]:
    """Every attack, made from a good file of `torch.save`."""
    files = {name.split("/", 1)[1]: content for name, content in unzipped(checkpoint).items()}
    yield from _pickles(files)
    yield from _archives(checkpoint, files)
    yield from _safetensors()
    yield from _others()


def saved(files: dict[str, bytes], **changed: bytes) -> bytes:
    """A file of `torch.save` with other members."""
    named = {name.replace("__", "/").replace("_pkl", ".pkl"): content for name, content in changed.items()}
    return zipped({f"net/{name}": content for name, content in (files | named).items()}, zipfile.ZIP_STORED)


def _pickles(files: dict[str, bytes]) -> Iterator[Attack]:
    def attack(name: str, content: bytes, words: str) -> Attack:
        return name, "net.pt", saved(files, data_pkl=content), words

    for protocol in (2, 4):
        for function, arguments in ((os.system, ("touch /tmp/owned",)), (eval, ("1",)), (print, ("x",))):
            content = pickle.dumps({"a": Runs(function, *arguments)}, protocol)
            yield attack(f"{function.__name__} of protocol {protocol}", content, r"it holds '\w+\.\w+', as a whole")
    yield attack("a module", b"\x80\x02ctorch.nn.modules.rnn\nLSTM\n)\x81}b.", r"'torch\.nn\.modules\.rnn\.LSTM'")
    yield attack("a class of the user", b"\x80\x02c__main__\nNet\n)\x81}b.", r"'__main__\.Net'")
    yield attack("a name with a line break", b"\x80\x04\x8c\x03a\nb\x8c\x01c\x93.", r"'a\?b\.c'")
    yield attack("an instance", b"(ios\nsystem\n.", "the opcode INST")
    yield attack("an object", b"\x80\x02(cos\nsystem\no.", r"'os\.system'")
    yield attack("an extension", b"\x80\x02\x82\x01.", "the opcode EXT1")
    yield attack("text of a million digits", b"L" + b"9" * 1_000_000 + b"L\n.", "the opcode LONG|damaged")
    yield attack("no end", b"\x80\x02}", "damaged")
    yield attack("an empty stack", b"\x80\x02.", "damaged")
    yield attack("nothing marked", b"\x80\x02u.", "damaged")
    yield attack("a memo that isn't there", b"\x80\x02h\x05.", "damaged")
    yield attack("a list alone", pickle.dumps([1, 2], 2), "no state_dict")
    yield attack("a text alone", pickle.dumps("x", 2), "no state_dict")
    yield attack("a list in itself", b"\x80\x02]q\0h\0a.", "no state_dict")
    yield attack("a dictionary in itself", b"\x80\x02}q\0X\x01\0\0\0ah\0s.", "no state_dict")
    nested = b"\x80\x02" + b")" + b"q\x00h\x00h\x00\x86" * 60
    yield attack("a tuple that takes for ever to hash", b"\x80\x02}" + nested[2:] + b"Ns.", "damaged")
    yield attack("lists of lists", b"\x80\x02" + b"]" * 90_000 + b"a" * 89_999 + b".", "no state_dict")
    yield attack("a million steps", b"\x80\x02" + b"N0" * 500_000 + b".", "the opcode POP|steps to describe")
    yield attack("a million values", b"\x80\x02" + b"N" * 1_000_000 + b".", "steps to describe")
    yield attack("a pickle of 5 MB", b"\x80\x02" + bytes(5_000_000), "is the most")
    yield attack("junk", b"junk" * 100, "damaged|the opcode")
    for name, change in (
        ("a storage of 2**47 elements", {"elements": 2**47}),
        ("more elements than are stored", {"shape": (2**40,), "strides": (1,)}),
        ("one element many times", {"shape": (10**9, 10**9), "strides": (0, 0)}),
        ("an offset behind the storage", {"offset": 10**6}),
        ("a negative stride", {"strides": (-1,)}),
        ("a size that is no number", {"shape": ("4",)}),
        ("more sizes than strides", {"shape": (4, 1, 1)}),
        ("another storage", {"key": "../../../etc/passwd"}),
        ("a truth for a size", {"shape": (True,)}),
    ):
        yield attack(name, described(**change), "damaged|fewer bytes|is the most|would take")
    yield attack("a storage of no type", described(storage="UntypedStorage"), "UntypedStorage")


def described(
    storage: str = "FloatStorage",
    key: str = "0",
    elements: int = 4,
    offset: int = 0,
    shape: tuple[Any, ...] = (4, 1),
    strides: tuple[Any, ...] = (1, 1),
) -> bytes:
    """The pickle of a `state_dict` of two tensors that are described alike."""
    parts = [(value, pickle.dumps(value, 2)[2:-1]) for value in (offset, shape, strides)]
    body = b"".join(content for _, content in parts)
    text = [b"X" + struct.pack("<I", len(each)) + each for each in (b"storage", key.encode(), b"cpu")]
    reference = b"(" + text[0] + b"ctorch\n" + storage.encode() + b"\n" + text[1] + text[2]
    reference += pickle.dumps(elements, 2)[2:-1] + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + reference + body + b"\x89ccollections\nOrderedDict\n)RtR"
    names = (b"lstm.weight_hh_l0", b"lstm.weight_ih_l0")
    return b"\x80\x02}" + b"".join(b"X" + struct.pack("<I", len(each)) + each + tensor + b"s" for each in names) + b"."


def _archives(checkpoint: bytes, files: dict[str, bytes]) -> Iterator[Attack]:
    yield "truncated", "net.pt", checkpoint[:-40], "damaged"
    yield "half", "net.pt", checkpoint[: len(checkpoint) // 2], "damaged"
    yield "PK and no more", "net.pt", b"PK nonsense", "damaged"
    rest = {name: content for name, content in files.items() if name != "data.pkl"}
    yield "no pickle", "net.pt", saved(rest), "none of torch.save"
    yield "two pickles", "net.pt", zipped({"a/data.pkl": b"", "b/data.pkl": b""}), "none of torch.save"
    yield "code of TorchScript", "net.pt", saved(files, code__net_py=b""), "TorchScript"
    bomb = zipped({"net/data.pkl": files["data.pkl"], "net/data/0": bytes(50_000_000)})
    yield "a bomb", "net.pt", bomb, "larger once unpacked"
    yield (
        "compressed",
        "net.pt",
        zipped({f"net/{name}": content for name, content in files.items()}),
        "compressed|larger",
    )
    short = {name: content[:8] if name.startswith("data/") else content for name, content in files.items()}
    yield "short storages", "net.pt", saved(short), "fewer bytes"
    nothing = {name: content for name, content in files.items() if not name.startswith("data/")}
    yield "no storages", "net.pt", saved(nothing), "missing"
    for number in (np.nan, np.inf, 1e38):
        data = {name: np.full(len(content) // 4, number, "<f4").tobytes() for name, content in files.items()
                if name.startswith("data/")}  # fmt: skip
        yield f"weights of {number}", "net.pt", saved(files | data), "no numbers"
    flipped = bytearray(checkpoint)
    flipped[checkpoint.index(b"weight_hh_l0") + 2] ^= 1
    yield "a checksum that is wrong", "net.pt", bytes(flipped), "damaged"


def _safetensors() -> Iterator[Attack]:
    names = ("lstm.weight_hh_l0", "lstm.weight_ih_l0")
    good = safetensors.numpy.save(dict.fromkeys(names, np.zeros((8, 2), np.float32)))
    length = struct.unpack("<Q", good[:8])[0]
    header = json.loads(good[8 : 8 + length])

    def headed(change: dict[str, Any]) -> bytes:
        text = json.dumps(header | {names[1]: header[names[1]] | change}).encode()
        return struct.pack("<Q", len(text)) + text + good[8 + length :]

    def attack(name: str, content: bytes, words: str = "damaged") -> Attack:
        return f"safetensors: {name}", "net.safetensors", content, words

    yield attack("a header of 2**60 bytes", struct.pack("<Q", 2**60) + good[8:], "would take 1,152,921,504,606,846,976")
    yield attack("truncated", good[:-4])
    yield attack("a header alone", good[: 8 + length])
    yield attack("no JSON", struct.pack("<Q", 4) + b"{{{{" + bytes(64), "holds no JSON")
    yield attack("a list", struct.pack("<Q", 4) + b"[{}]" + bytes(64), "holds no JSON object")
    yield attack("nested deeply", struct.pack("<Q", 10**5) + b"{" + b"[" * 99_999, "holds no JSON")
    yield attack("a huge shape", headed({"shape": [2**40, 2**40]}))
    yield attack("a negative size", headed({"shape": [-1, 2]}))
    yield attack("offsets behind the end", headed({"data_offsets": [0, 2**50]}))
    yield attack("a type that isn't there", headed({"dtype": "EVIL"}))
    yield attack("a type that isn't read", headed({"dtype": "F8_E4M3", "shape": [8, 8]}), "F8_E4M3")
    yield attack("20,000 tensors", safetensors.numpy.save({f"{n}": np.zeros(1) for n in range(20_000)}), "4,000 is")
    yield attack("a picture", PICTURE, "is no network that can be opened")
    yield attack("nothing", b"", "is empty")
    yield attack("three bytes", b"abc", "damaged|no network")


def _others() -> Iterator[Attack]:
    legacy = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    yield "the old format", "net.pt", legacy, "before version 1.6"
    yield "a pickle", "net.pth", pickle.dumps(Runs(os.system, "touch /tmp/owned"), 4), "which would have to be run"
    yield "a picture for a checkpoint", "net.pt", PICTURE, "no network that can be opened"
    out = io.BytesIO()
    np.savez(out, a=np.zeros(3))
    for name, data, words in (
        ("net.tar", bytes(257) + b"ustar" + bytes(300), "tar archive"),
        ("net.onnx", b"\x08\x07\x12\x07pytorch", "an ONNX graph"),
        ("saved_model.pb", b"\x08\x01", "a graph of TensorFlow"),
        ("net.bin", b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
        ("net.mat", b"MATLAB 5.0 MAT-file", "a file of MATLAB"),
        ("net.npz", out.getvalue(), "an archive of NumPy"),
        ("SavedModel.zip", zipped({"net/saved_model.pb": b""}), "SavedModel of TensorFlow"),
        ("net.txt", b"hello", "no network that can be opened"),
        ("../../\x1b[31m" + "x" * 500, b"hello", "no network that can be opened"),
    ):
        yield f"the file {name[:20]!r}", name, data, words
