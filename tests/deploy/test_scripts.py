"""The small programs of the containers, as they are run there."""

from __future__ import annotations

import http.server
import os
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_secrets_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("long and secret\n")
    done = subprocess.run(
        ["sh", str(ROOT / "deploy" / "entrypoint.sh"), "printenv", "LSTM_LAB_OPERATOR_KEY", "HOME"],
        env={"PATH": os.environ["PATH"], "HOME": "/x", "LSTM_LAB_OPERATOR_KEY_FILE": str(tmp_path / "key")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "long and secret\n/x\n"


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_probe_asks_under_the_prefix_and_names_the_host(status: int, code: int) -> None:
    heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append((self.path, self.headers["Host"]))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request, daemon=True)
        thread.start()
        settings = {
            "STREAMLIT_SERVER_PORT": str(server.server_port),
            "STREAMLIT_SERVER_BASE_URL_PATH": "lab",
            "LSTM_LAB_HOSTS": "lab.example.com, other",
        }
        command = [sys.executable, str(ROOT / "deploy" / "probe.py"), "ready"]
        done = subprocess.run(command, env=os.environ | settings, capture_output=True, check=False)
        thread.join(10)
    assert done.returncode == code
    assert heard == [("/lab/ready", "lab.example.com")]


def test_keys_are_made_once_and_are_read_by_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    command = [sys.executable, "-m", "deploy.certificates", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    made = {each.name: each.read_bytes() for each in folder.iterdir()}
    assert set(made) == {"ca.pem", "cert.pem", "key.pem"}
    assert all(each.stat().st_mode & 0o077 == 0 for each in folder.iterdir())
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert made == {each.name: each.read_bytes() for each in folder.iterdir()}
