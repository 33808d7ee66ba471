"""Writes the files in `tests/tracing/files` with PyTorch, and torch's own numbers beside.

They let people without torch test the readers against torch. `python -m tests.tracing.make_files` writes them again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

FILES = Path(__file__).parent / "files"


def main() -> None:
    """Write all of them."""
    FILES.mkdir(exist_ok=True)
    torch.manual_seed(16)
    numbers: dict[str, Any] = {}

    embedding, lstm, fc = nn.Embedding(9, 3), nn.LSTM(3, 4, 2, bidirectional=True, batch_first=True), nn.Linear(8, 2)
    classifier = nn.ModuleDict({"embedding": embedding, "lstm": lstm, "fc": fc})
    torch.save(classifier.state_dict(), FILES / "classifier.pt")
    ids = torch.randint(0, 9, (2, 5))
    with torch.no_grad():
        states, (h, c) = lstm(embedding(ids))
        numbers |= {"ids": ids, "lstm": states, "h": h, "c": c, "fc": fc(states)}

    gru = nn.GRU(3, 4, bias=False, dtype=torch.bfloat16)
    save_file(gru.state_dict(), FILES / "gru.safetensors")
    x = torch.randn(5, 2, 3)
    with torch.no_grad():
        numbers |= {"x": x.swapaxes(0, 1), "gru": gru.float()(x)[0].swapaxes(0, 1)}

    both = nn.ModuleDict({"encoder": nn.RNN(3, 4, dtype=torch.float64), "decoder": nn.LSTM(4, 3, dtype=torch.float64)})
    optimizer = torch.optim.Adam(both.parameters())
    sum(weight.sum() for weight in both.parameters()).backward()
    optimizer.step()
    checkpoint = {"epoch": 3, "loss": 0.25, "model_state_dict": both.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(checkpoint, FILES / "checkpoint.pth")
    with torch.no_grad():
        encoded = both["encoder"](x.double())[0]
        numbers |= {"encoder": encoded.swapaxes(0, 1), "decoder": both["decoder"](encoded)[0].swapaxes(0, 1)}
    np.savez_compressed(FILES / "torch.npz", **{name: value.numpy() for name, value in numbers.items()})


if __name__ == "__main__":
    main()
