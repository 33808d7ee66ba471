"""Keys for Dask: `python -m deploy.certificates FOLDER` writes ca.pem, cert.pem and key.pem, unless they are there.

Whoever has them can run code on the workers: the folder is for scheduler, workers and web replicas alone.
"""

import sys
from pathlib import Path

from distributed.security import Security


def main(folder: Path) -> None:
    """Write a key and its certificate, which is also the authority that all parts trust."""
    made = Security.temporary()
    texts = {"ca.pem": made.tls_ca_file, "cert.pem": made.tls_client_cert, "key.pem": made.tls_client_key}
    if not all((folder / name).exists() for name in texts):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(str(text), encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
