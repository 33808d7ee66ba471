"""Training throughput in samples per second: ours, plain `model.fit` on each backend, and PyTorch's `nn.LSTM`.

    python -m benchmarks.training [NETWORK …] [--quick] [--repeats N] [--threads N] [--json]

The same sizes and batches on the same machine: each contender is a process of its own (Keras has one backend for each
process), and they are measured in turns. The networks have the sizes of the articles' and ours, with random ids and a
softmax or linear output. PyTorch has no recurrent dropout, so it is left out everywhere. Our trainings keep the memory
of a step for the next (`lstm_core/nn/keras_backend.py`), which makes PyTorch faster, too: it enters as it comes and so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import timing
from lstm_core.jobs.worker import THREADS
from lstm_core.nn import keras_backend

OURS, KERAS, KERAS_JAX, TORCH = "ours, on JAX", "Keras on TensorFlow", "Keras on JAX", "PyTorch"
TORCH_KEPT = "PyTorch, memory kept"
CONTENDERS = {OURS: "jax", KERAS_JAX: "jax", KERAS: "tensorflow", TORCH: "torch", TORCH_KEPT: "torch"}
SECONDS, QUICK = 1.0, 0.2  # that one measurement should take
CLASSES = 4
Trainer = Callable[[np.ndarray, np.ndarray], None]


@dataclass(frozen=True)
class Spec:
    """The network and its batches.

    Attributes:
        name: in the table.
        steps: timesteps.
        units: of each LSTM layer.
        batch: samples a step.
        width: of the embedding; 0 where each timestep is one number.
        vocabulary: ids of the embedding.
        every: outputs at each timestep, with as many classes as ids.
        masked: padding is masked, and the output is computed from the maximum over time.
    """

    name: str
    steps: int
    units: tuple[int, ...]
    batch: int
    width: int
    vocabulary: int
    every: bool = False
    masked: bool = False

    @property
    def outputs(self) -> int:
        """The number of classes."""
        return self.vocabulary if self.every else CLASSES


SPECS = {
    spec.name: spec
    for spec in (
        Spec("tags, article", 100, (32,), 124, 16, 1000),
        Spec("reviews, article", 300, (128,), 128, 10, 5000),
        Spec("characters, article", 50, (300, 300), 30, 0, 60),
        Spec("tags, ours", 400, (128,), 64, 128, 12000, masked=True),
        Spec("reviews, ours", 400, (128,), 64, 112, 16000, masked=True),
        Spec("characters, ours", 256, (400, 400), 16, 64, 65, every=True),
        Spec("tags_15s", 80, (32,), 32, 32, 4000, masked=True),
        Spec("characters_60s", 80, (128,), 32, 32, 65, every=True),
    )
}


# --- one contender, in a process of its own -------------------------------------------------


def data(spec: Spec, batches: int) -> tuple[np.ndarray, np.ndarray]:
    """Random ids (n, T), or numbers (n, T, 1), and classes (n,) or (n, T); texts of many lengths where pads count."""
    random, count = np.random.default_rng(0), batches * spec.batch
    if not spec.width:
        x = random.random((count, spec.steps, 1), np.float32)
    else:
        x = random.integers(1, spec.vocabulary, (count, spec.steps)).astype(np.int32)
    if spec.masked:
        lengths = random.integers(spec.steps // 2, spec.steps + 1, count)
        x[np.arange(spec.steps) >= lengths[:, None]] = 0
    return x, random.integers(0, spec.outputs, (count, spec.steps) if spec.every else count).astype(np.int32)


def keras_network(spec: Spec) -> Any:
    """The network in stock Keras layers, answering with logits."""
    import keras
    from keras import layers

    x = start = keras.Input((spec.steps,) if spec.width else (spec.steps, 1), dtype="int32" if spec.width else None)
    if spec.width:
        x = layers.Embedding(spec.vocabulary, spec.width, mask_zero=spec.masked)(x)
    for number, units in enumerate(spec.units):
        whole = spec.every or spec.masked or number < len(spec.units) - 1
        x = layers.LSTM(units, return_sequences=whole)(x)
    if spec.masked:
        x = layers.GlobalMaxPooling1D()(x)
    return keras.Model(start, layers.Dense(spec.outputs)(x))


def keras_trainer(spec: Spec, ours: bool) -> Trainer:
    """Goes once over (x, y): as the lessons do, or by a plain `model.fit` on arrays."""
    import keras

    from lstm_core.nn.jax_lstm import faster
    from lstm_core.training.batches import Rows
    from lstm_core.training.optimizers import NormKeepingAdam

    model = keras_network(spec)
    optimizer = NormKeepingAdam() if ours else keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    def train(x: np.ndarray, y: np.ndarray) -> None:
        if ours:
            with faster(model):
                model.fit(Rows(x, y, spec.batch, seed=0), verbose=0, shuffle=False)
        else:
            model.fit(x, y, spec.batch, verbose=0)

    return train


def torch_trainer(spec: Spec) -> Trainer:
    """The same in PyTorch's own layers and the loop that its tutorials have."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(spec.vocabulary, spec.width) if spec.width else nn.Identity()
            widths = [spec.width or 1, *spec.units]
            pairs = zip(widths, spec.units, strict=False)
            self.layers = nn.ModuleList(nn.LSTM(reads, units, batch_first=True) for reads, units in pairs)
            self.answer = nn.Linear(spec.units[-1], spec.outputs)

        def forward(self, ids: Any) -> Any:
            x = self.embed(ids)
            for layer in self.layers:
                x, _ = layer(x)  # (batch, T, units)
            if spec.masked:
                x = x.masked_fill((ids == 0)[..., None], -1.0).amax(dim=1)
            elif not spec.every:
                x = x[:, -1]
            return self.answer(x)

    if threads := os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(int(threads))
    network, loss = Network(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), eps=1e-7)

    def train(*arrays: np.ndarray) -> None:
        x, y = (torch.from_numpy(part).to(kind) for part, kind in zip(arrays, kinds, strict=True))
        for rows in torch.randperm(len(x)).split(spec.batch):
            optimizer.zero_grad()
            loss(network(x[rows]).flatten(0, -2), y[rows].flatten()).backward()
            optimizer.step()

    kinds = (torch.long if spec.width else torch.float32, torch.long)
    return train


def serve(contender: str, name: str) -> None:
    """Answer each number of steps on standard input with the seconds that they took."""
    if contender in (OURS, TORCH_KEPT):
        keras_backend.keep_memory()
    spec = SPECS[name]
    train = torch_trainer(spec) if CONTENDERS[contender] == "torch" else keras_trainer(spec, contender == OURS)
    for line in sys.stdin:
        arrays = data(spec, int(line))
        began = time.perf_counter()
        train(*arrays)
        print(time.perf_counter() - began, flush=True)


# --- all of them in turns -------------------------------------------------------------------


class Contender:
    """A process that trains one network with one library on request."""

    def __init__(self, name: str, spec: Spec, seconds: float, threads: int) -> None:
        environment = os.environ | {"KERAS_BACKEND": CONTENDERS[name], "TF_CPP_MIN_LOG_LEVEL": "3"}
        if CONTENDERS[name] == "torch":
            environment.pop("KERAS_BACKEND")
        command = [sys.executable, "-m", "benchmarks.training", "--serve", name, spec.name]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment | thread_settings(threads),
        )
        self._batch = spec.batch
        self._seconds(2)  # compiles
        each = max(self._seconds(3) / 3, 1e-5)
        self._steps = min(max(round(seconds / each), 2), 2000)

    def measure(self) -> float:
        """Seconds a sample."""
        return self._seconds(self._steps) / (self._steps * self._batch)

    def _seconds(self, steps: int) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(steps, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"A contender ended with status {self._process.wait()}; is its library installed?")
        return float(answer)

    def end(self) -> None:
        """Close the pipes and wait for the process."""
        self._process.communicate()


def thread_settings(threads: int) -> dict[str, str]:
    """The environment in which libraries use so many threads; nothing for 0."""
    if not threads:
        return {}
    return dict.fromkeys(THREADS, str(threads))


def compete(spec: Spec, repeats: int, seconds: float, threads: int = 0) -> dict[str, list[float]]:
    """Contender → seconds a sample, one a round."""
    entered: dict[str, Contender] = {}
    try:
        for name in CONTENDERS:
            entered[name] = Contender(name, spec, seconds, threads)
        return timing.interleaved({name: each.measure for name, each in entered.items()}, repeats)
    finally:
        for each in entered.values():
            each.end()


def row(spec: Spec, times: dict[str, list[float]]) -> dict[str, Any]:
    """Samples a second of each contender, and how many times as fast as each peer ours is."""
    compared = {peer: timing.compare(times, OURS, peer) for peer in CONTENDERS if peer != OURS}
    own = next(iter(compared.values())).median
    return {
        "network": spec.name,
        "steps": spec.steps,
        "units": list(spec.units),
        "batch": spec.batch,
        "samples_per_second": {OURS: 1 / own} | {peer: 1 / each.peer_median for peer, each in compared.items()},
        "times_as_fast_as": {peer: 1 / each.ratio for peer, each in compared.items()},
        "rounds": len(times[OURS]),
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The results as a text table."""
    heads = ["samples a second", "steps", "units", "batch", *CONTENDERS, *(f"/ {peer}" for peer in CONTENDERS)]
    heads.remove(f"/ {OURS}")
    lines = [heads]
    for each in rows:
        size = [str(each["steps"]), "+".join(map(str, each["units"])), str(each["batch"])]
        speeds = [f"{each['samples_per_second'][name]:,.0f}" for name in CONTENDERS]
        ratios = [f"{each['times_as_fast_as'][peer]:.2f}" for peer in CONTENDERS if peer != OURS]
        lines.append([each["network"], *size, *speeds, *ratios])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def parser() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    options = timing.parser(__doc__, repeats=5)
    options.add_argument("networks", metavar="NETWORK", nargs="*", help=f"of {', '.join(SPECS)}; without one, all")
    options.add_argument("--quick", action="store_true", help="two short rounds of the smallest networks")
    options.add_argument("--threads", type=int, default=0, help="each library's threads (default: what it takes)")
    options.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)  # in the processes that `main` starts
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = parser().parse_args(arguments)
    if options.serve:
        serve(*options.serve)
        return 0
    if unknown := [name for name in options.networks if name not in SPECS]:
        print(f"There is no network '{unknown[0]}'; there are {', '.join(SPECS)}.", file=sys.stderr)
        return 2
    names = options.networks or (["tags, article", "tags_15s"] if options.quick else list(SPECS))
    repeats, seconds = (2, QUICK) if options.quick else (options.repeats, SECONDS)
    busy = os.getloadavg()[0]
    rows = []
    for name in names:
        rows.append(row(SPECS[name], compete(SPECS[name], repeats, seconds, options.threads)))
        print(table(rows[-1:]), file=sys.stderr, flush=True)  # the whole table comes last, and takes minutes
    about = {"cores": os.cpu_count(), "threads": options.threads or "each library's own", "load_before": round(busy, 1)}
    if options.json:
        print(json.dumps({"benchmark": "training", **about, "networks": rows}))
        return 0
    print(", ".join(["training", *(f"{key.replace('_', ' ')} {value}" for key, value in about.items())]))
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
