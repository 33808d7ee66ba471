"""Packs: a folder there and back, and one sentence for every pack that is hostile or broken."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_core.errors import ModelError
from lstm_core.inference import registry
from lstm_core.library import bundle, store
from lstm_core.library.card import CARD
from lstm_core.library.store import VOCABULARY, WEIGHTS
from lstm_core.nn import keras_file
from lstm_core.nn.network import Network

Change = Callable[[dict[str, bytes]], dict[str, bytes]]


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def files(tiny_folder: Path) -> dict[str, bytes]:
    return {name: (tiny_folder / name).read_bytes() for name in bundle.FILES}


def test_a_folder_goes_into_bytes_and_comes_back(tiny_folder: Path, files: dict[str, bytes], tmp_path: Path) -> None:
    data = bundle.bundle_folder(tiny_folder)
    assert data == bundle.bundle_folder(tiny_folder)
    assert bundle.unpack_bundle(data) == files
    bundle.unpack_bundle_into(data, tmp_path / "again")
    again, before = registry.load(tmp_path / "again"), registry.load(tiny_folder)
    text = ["how do i sort a list"]
    np.testing.assert_array_equal(again.predict(text), before.predict(text))
    with pytest.raises(FileExistsError):
        bundle.unpack_bundle_into(data, tmp_path / "again")


def test_an_incomplete_folder_is_not_packed(folder: Path) -> None:
    (folder / VOCABULARY).unlink()
    with pytest.raises(ModelError, match=r"vocabulary\.json is missing"):
        bundle.bundle_folder(folder)


def link(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO(zipped(files))
    with zipfile.ZipFile(out, "a") as archive:
        info = zipfile.ZipInfo(CARD)
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def lying(files: dict[str, bytes]) -> bytes:
    """The directory says that the card is small; it isn't."""
    bomb = zipped(files | {CARD: b" " * 40_000_000})
    return bomb.replace(struct.pack("<I", 40_000_000), struct.pack("<I", 100))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda files: b"", "no zip archive"),
        (lambda files: b"\x89PNG\r\n" + b"0" * 100, "no zip archive"),
        (lambda files: zipped(files)[:-40], "is damaged"),
        (lambda files: zipped(files | {"../../evil": b"x"}), r"'\.\./\.\./evil', which is no part of a model"),
        (lambda files: zipped(files | {"/etc/cron.d/x": b"x"}), "which is no part of a model"),
        (lambda files: zipped({f"{n}.txt": b"" for n in range(5000)}), "holds 5,000 files"),
        (lambda files: zipped({name: files[name] for name in (WEIGHTS, CARD)}), r"vocabulary\.json is missing"),
        (lambda files: zipped(files | {CARD: b" " * 40_000_000}), "too large once unpacked"),
        (lying, "too large once unpacked|is damaged"),
        (lambda files: link({name: files[name] for name in (WEIGHTS, VOCABULARY)}), "link"),
        (lambda files: zipped(files | {CARD: b"not json"}), r"card\.json holds no JSON"),
        (lambda files: zipped(files | {CARD: b"[" * 100_000}), r"card\.json holds no JSON"),
        (lambda files: zipped(files | {VOCABULARY: b"[1]"}), r"vocabulary\.json holds no JSON object"),
        (lambda files: zipped(files | {WEIGHTS: b"\x93NUMPY"}), "network is no zip archive"),
    ],
)
def test_a_hostile_pack_is_one_sentence(make: Callable[..., bytes], sentence: str, files: dict[str, bytes]) -> None:
    with pytest.raises(ModelError, match=sentence) as caught:
        bundle.unpack_bundle(make(files))
    assert "\n" not in str(caught.value)


def test_a_member_twice_and_a_pack_too_large(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO(zipped(files))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "a") as archive:
        archive.writestr(CARD, files[CARD])
    with pytest.raises(ModelError, match="twice"):
        bundle.unpack_bundle(out.getvalue())
    monkeypatch.setattr(bundle, "LARGEST_BUNDLE", 100)
    with pytest.raises(ModelError, match="MiB is the most"):
        bundle.unpack_bundle(zipped(files))


def with_config(change: Callable[[Any], Any]) -> Change:
    def make(inside: dict[str, bytes]) -> dict[str, bytes]:
        config = json.loads(inside["config.json"])
        return inside | {"config.json": json.dumps(change(config) or config).encode()}

    return make


def first_layer(**new: Any) -> Change:
    return with_config(lambda config: config["config"]["layers"][1].update(new))


def compressed_weights(inside: dict[str, bytes]) -> dict[str, bytes]:
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.create_dataset("bomb", (5000, 5000), "float32", compression="gzip", fillvalue=1.0)
    return inside | {"model.weights.h5": out.getvalue()}


def linked_weights(inside: dict[str, bytes]) -> dict[str, bytes]:
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/x")
    return inside | {"model.weights.h5": out.getvalue()}


def circular_weights(inside: dict[str, bytes]) -> dict[str, bytes]:
    """Hard links from the root to itself: followed blindly, eight of them are 8 to the 20th groups."""
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        for number in range(8):
            file[f"again{number}"] = file["/"]
    return inside | {"model.weights.h5": out.getvalue()}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (first_layer(class_name="Lambda", registered_name="Lambda"), "layer 'Lambda', which is not supported"),
        (first_layer(class_name="Conv1D"), "layer 'Conv1D', which is not supported"),
        (first_layer(module="os", class_name="system"), "'system' that isn't Keras's own"),
        (first_layer(module="keras.layers", registered_name="evil>Layer"), "isn't Keras's own"),
        (with_config(lambda config: {"class_name": "Evil", "config": {}}), "neither a Sequential nor a functional"),
        (with_config(lambda config: [1, 2]), "holds no JSON object"),
        (lambda inside: inside | {"config.json": b"{"}, "holds no JSON"),
        (lambda inside: inside | {"assets/x.py": b"x"}, "no part of a model"),
        (lambda inside: {"config.json": inside["config.json"]}, r"model\.weights\.h5 is missing"),
        (lambda inside: inside | {"model.weights.h5": b"junk"}, "weights are damaged"),
        (compressed_weights, "weights would take 95 MiB"),
        (linked_weights, "link to another file"),
        (circular_weights, "link one object twice"),
    ],
)
def test_a_hostile_network_is_refused_before_keras_sees_it(
    change: Change, sentence: str, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keras.saving.load_model", pytest.fail)
    with pytest.raises(ModelError, match=sentence):
        keras_file.check_network(zipped(change(parts(files[WEIGHTS]))))


def test_every_shipped_network_passes() -> None:
    for path in store.SHIPPED.glob(f"*/{WEIGHTS}"):
        keras_file.check_network(path.read_bytes())


@pytest.mark.parametrize(
    "settings",
    [
        {"dtype": {"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8", "source_name": "float32"}}},
        {"dtype": {"class_name": "DTypePolicy", "config": {"name": "int8_from_float32"}}},
        {"dtype": "int4/128_from_float32"},
        {"quantization_config": {"class_name": "Float8QuantizationConfig", "config": {}}},
    ],
    ids=["policy", "named policy", "name", "configuration"],
)
def test_a_layer_that_says_it_is_quantized_is_refused_by_name(
    settings: dict[str, Any], files: dict[str, bytes]
) -> None:
    inside = parts(files[WEIGHTS])
    config = json.loads(inside["config.json"])
    layer = config["config"]["layers"][-1]["config"]
    layer |= settings
    damaged = files | {WEIGHTS: zipped(inside | {"config.json": json.dumps(config).encode()})}
    with pytest.raises(ModelError, match=f"Layer '{layer['name']}' is quantized"):
        bundle.unpack_bundle(zipped(damaged))


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_a_network_that_keras_quantized_is_refused(mode: str, tiny_folder: Path, tmp_path: Path) -> None:
    model = store.load_keras(tiny_folder)
    model.quantize(mode)
    model.save(tmp_path / WEIGHTS)
    with pytest.raises(ModelError, match="is quantized"):
        keras_file.check_network((tmp_path / WEIGHTS).read_bytes())
    with pytest.raises(ModelError, match="is quantized"):
        Network(model)
