"""What one run of each page costs the web process: processor time, time until it is whole, and bytes sent.

One visitor speaks Streamlit's protocol (see `crowd.py`), opens each page and runs it again and again. "first" is the
first visit of the process, "again" a page that somebody has just looked at. Run it from the root:
`python -m benchmarks.costs`.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Sequence

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import connect

from benchmarks import timing
from benchmarks.browser import ROOT, server
from benchmarks.crowd import Visitor

PAGES = ("", *sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem not in ("home", "navigation")))


def used(process: psutil.Process) -> float:
    """Seconds of processor time so far."""
    return sum(process.cpu_times()[:2])


async def runs(url: str, process: psutil.Process, page: str, repeats: int) -> dict[str, float | str]:
    """The costs of one page."""
    async with connect(f"{url.replace('http', 'ws', 1)}/_stcore/stream", max_size=None, compression=None) as socket:
        visitor = Visitor(socket, page)
        before, first_seconds = used(process), await visitor.open()
        await asyncio.sleep(0.3)
        first, received = used(process) - before, visitor.received
        before = used(process)
        seconds = [await visitor.run(BackMsg()) for _ in range(repeats)]
        await asyncio.sleep(0.3)
        return {
            "page": page or "home",
            "first_cpu_ms": 1000 * first,
            "first_ms": 1000 * first_seconds,
            "again_cpu_ms": 1000 * (used(process) - before) / repeats,
            "again_ms": 1000 * statistics.median(seconds),
            "bytes": (visitor.received - received) / repeats,
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = timing.parser(__doc__, repeats=20).parse_args(arguments)
    with server("run", "app.py") as app:
        time.sleep(5)  # what the pages need is imported
        rows = [asyncio.run(runs(app.url, app.process, page, options.repeats)) for page in PAGES]
        memory = app.process.memory_info().rss >> 20
    if options.json:
        print(json.dumps({"benchmark": "costs", "mib": memory, "rows": rows}))
        return 0
    for row in rows:
        print(
            "  ".join(
                f"{key} {value:,.0f}" if isinstance(value, float) else f"{value:17}" for key, value in row.items()
            )
        )
    print(f"{memory} MiB after all pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
