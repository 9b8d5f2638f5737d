"""nginx before the program, as an operator would put it there: the project's example, or worse."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.program import PATIENCE_S

EXAMPLE = Path(__file__).resolve().parents[1] / "docs" / "nginx.conf"
NAME = "captions.example"  # never resolved: browsers are told that it is here
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
OPENSSL = shutil.which("openssl")
HTTP = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def missing() -> str | None:
    """Why no proxy can be started here, or None."""
    if NGINX is None:
        return "nginx is not installed: apt-get install nginx"
    if OPENSSL is None:
        return "openssl is not installed: apt-get install openssl"
    return None


class Proxy:
    """A running nginx; ends with the `with` block.

    Parameters
    ----------
    site : its configuration, in the places of the example: 443, the certificate's and 5000
    listen : port to serve at
    upstream : port of the program
    """

    def __init__(self, site: str, listen: int, upstream: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self._listen = listen
        for before, after in (
            ("listen 443", f"listen 127.0.0.1:{listen}"),
            ("/etc/ssl/", f"{folder}/"),
            ("127.0.0.1:5000", f"127.0.0.1:{upstream}"),
        ):
            site = site.replace(before, after)
        (folder / "site.conf").write_text(site)
        (folder / "nginx.conf").write_text(HTTP.format(folder=folder))
        assert OPENSSL
        subprocess.run(
            [
                OPENSSL,
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                f"/CN={NAME}",
                "-keyout",
                folder / f"{NAME}.key",
                "-out",
                folder / f"{NAME}.pem",
            ],
            check=True,
            capture_output=True,
        )

    def __enter__(self) -> "Proxy":
        folder = self._folder.name
        assert NGINX
        self._process = subprocess.Popen(
            [NGINX, "-p", folder, "-c", f"{folder}/nginx.conf"], env=os.environ | {"LC_ALL": "C"}
        )
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._listen), timeout=30).close()
                return self
            except ConnectionRefusedError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("nginx does not serve; what it says stands above") from None
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._folder.cleanup()
