"""Health checks of the containers: `python deploy/probe.py ready` asks this container's web process."""

import os
import socket
import sys
import urllib.request


def main(what: str) -> None:
    """Raise if the part doesn't answer.

    Args:
        what: "ready" or "health", paths of the web process; "scheduler" for port 8786; "worker" for its process.
    """
    if what == "scheduler":
        socket.create_connection(("127.0.0.1", 8786), timeout=3).close()
    elif what == "worker":
        with open("/proc/1/cmdline", "rb") as command:
            if b"lstm_core.jobs.worker" not in command.read():
                raise OSError("no worker runs")
    else:
        prefix = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "").strip("/")
        host = os.environ.get("LSTM_LAB_HOSTS", "localhost").split(",")[0].strip()
        port = os.environ.get("STREAMLIT_SERVER_PORT", "8501")
        address = "/".join(filter(None, (f"http://127.0.0.1:{port}", prefix, what)))
        urllib.request.urlopen(urllib.request.Request(address, headers={"Host": host}), timeout=3).close()


if __name__ == "__main__":
    main(sys.argv[1])
