"""Keys for Dask: `python -m deploy.certificates FOLDER` writes ca.pem, cert.pem and key.pem, unless they are there.

Whoever has them can run code on the workers: the folder is for scheduler, workers and web replicas alone.
"""

import sys
from pathlib import Path

NAMES = ("ca.pem", "cert.pem", "key.pem")


def main(folder: Path) -> None:
    """Write a key and its certificate, which is also the authority that all parts trust."""
    if all((folder / name).exists() for name in NAMES):
        return
    from distributed.security import Security

    made = Security.temporary()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(NAMES, (made.tls_ca_file, made.tls_client_cert, made.tls_client_key), strict=True):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(str(text), encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
