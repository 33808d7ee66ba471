"""The numbers of each replica, from where it serves them: LSTM_LAB_REPLICAS names the addresses, separated by commas.

A name with several addresses, as of a Kubernetes service without one of its own, stands for as many replicas.
"""

from __future__ import annotations

import os
import socket
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import prometheus_client
from prometheus_client.parser import text_string_to_metric_families

from lstm_core.errors import LabError

PATIENCE = 2.0  # seconds for a replica to answer
SHARE = 0.95


def numbers() -> list[dict[str, Any]]:
    """A row for each replica.

    Raises:
        LabError: if LSTM_LAB_REPLICAS has an address without a port.
    """
    named = [each.strip() for each in os.environ.get("LSTM_LAB_REPLICAS", "").split(",") if each.strip()]
    if not named:
        return [row("this process", prometheus_client.generate_latest().decode())]
    found = [place for each in named for place in _places(each)]
    with ThreadPoolExecutor(max(len(found), 1)) as threads:
        return list(threads.map(_fetched, found))


def _places(address: str) -> Iterator[tuple[str, str]]:
    """Name and address of each replica at `host:port`."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise LabError(f"LSTM_LAB_REPLICAS has '{address[:60]}'; it names hosts and ports, such as web-1:9464.")
    try:
        known = {str(each[4][0]) for each in socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)}
    except OSError:
        known = {host}  # it will not answer, and the row says so
    for each in sorted(known):
        yield (address if len(known) == 1 else each), f"[{each}]:{port}" if ":" in each else f"{each}:{port}"


def _fetched(place: tuple[str, str]) -> dict[str, Any]:
    name, address = place
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=PATIENCE) as answer:
            return row(name, answer.read().decode())
    except OSError:
        return {"replica": name, "state": "no answer"}


def row(name: str, text: str) -> dict[str, Any]:
    """A replica's numbers as the page shows them.

    Args:
        name: of the replica.
        text: its numbers, as Prometheus reads them.
    """
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]

    def value(sample: str, **labels: str) -> float:
        return sum(
            each.value for each in samples if each.name == sample and labels.items() <= each.labels.items()
        )  # fmt: skip

    down = [each.labels["part"] for each in samples if each.name == "lstm_lab_part_up" and not each.value]
    state = "ending" if value("lstm_lab_ending") else f"fails: {', '.join(down)}" if down else "up"
    buckets = {
        wanted: [(float(each.labels["le"]), each.value) for each in samples if each.name == f"{wanted}_bucket"]
        for wanted in ("lstm_lab_gate_wait_seconds", "lstm_lab_page_run_seconds")
    }
    return {
        "replica": name,
        "state": state,
        "visitors": value("lstm_lab_visitors"),
        "open pages": value("lstm_lab_open_pages"),
        "waiting": value("lstm_lab_gate_waiting"),
        "runs of pages": value("lstm_lab_page_run_seconds_count"),
        "95% waited at most (s)": _below(buckets["lstm_lab_gate_wait_seconds"]),
        "95% ran at most (s)": _below(buckets["lstm_lab_page_run_seconds"]),
        "failed": value("lstm_lab_page_failures_total"),
        "refused": value("lstm_lab_refused_total"),
        "memory (MiB)": value("process_resident_memory_bytes") / 2**20,
        "processor (s)": value("process_cpu_seconds_total"),
        "training": value("lstm_lab_training_runs", state="running"),
        "queued": value("lstm_lab_training_runs", state="waiting"),
        "workers": value("lstm_lab_training_workers"),
    }


def _below(buckets: list[tuple[float, float]]) -> float | None:
    """The smallest bound below which `SHARE` of all observations are; None without observations."""
    most = max((count for _, count in buckets), default=0.0)
    return next((bound for bound, count in sorted(buckets) if most and count >= SHARE * most), None)
