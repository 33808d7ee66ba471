"""Packs: a folder there and back, and quantized networks; hostile packs are in tests/hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_core.errors import ModelError
from lstm_core.inference import registry
from lstm_core.library import bundle, store
from lstm_core.library.store import VOCABULARY, WEIGHTS
from lstm_core.nn import keras_file
from lstm_core.nn.network import Network
from tests.hostile.corpus import unzipped, zipped


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


def test_a_pack_too_large_is_refused(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "LARGEST_BUNDLE", 100)
    with pytest.raises(ModelError, match="MiB is the most"):
        bundle.unpack_bundle(zipped(files))


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
    inside = unzipped(files[WEIGHTS])
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
