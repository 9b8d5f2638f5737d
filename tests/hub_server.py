"""A server that speaks Hugging Face's protocol, on two ports as the real one: hub and store."""

import hashlib
import io
import os
import tarfile
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from utils.models.catalogue import CATALOGUE

COMMIT = "c0ffee" * 6 + "c0ff"
SMALL_FILES = "/api/resolve-cache/models/"  # where the hub sends for what lies in git itself
NAME, REPO = CATALOGUE[0].name, CATALOGUE[0].repo  # a model that the server serves


def archive(n_bytes: int, name: str = "EncDecCTCModel") -> bytes:
    """A file built like a `.nemo`, of about `n_bytes`; nothing that NeMo could load."""
    buffer = io.BytesIO()
    noise = os.urandom(1 << 16)
    weights = (noise * (n_bytes // len(noise) + 1))[:n_bytes]
    config = f"target: nemo.collections.asr.models.{name}\nnemo_version: 3.0.0\n".encode()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for file, data in (("model_config.yaml", config), ("model_weights.ckpt", weights)):
            member = tarfile.TarInfo(file)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


CONTENT = archive(3_000_000)  # its file


class HubServer:
    """Serves files by "org/name/file"; ends with the `with` block.

    What it does wrong can be set at any time: `break_after` (bytes of each of the next
    answers, after which the connection is cut), `resumes`, `rate` (bytes a second),
    `gated`, `status` (to answer every question with), `spoil` (send wrong bytes), `portal`
    (of "hub" and "store", those in whose place a sign-in page answers).
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, str | None]] = []  # method, path, range
        self.at_store: list[dict[str, str]] = []  # headers that the store was sent
        self.break_after: list[int] = []
        self.resumes = True
        self.rate = 0
        self.gated = False
        self.status = 0
        self.spoil = False
        self.portal: set[str] = set()
        self._hub = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, store=False))
        self._store = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, store=True))
        for server in (self._hub, self._store):
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """For `HF_ENDPOINT`."""
        return f"http://127.0.0.1:{self._hub.server_port}"

    @property
    def store_url(self) -> str:
        """Where the hub sends those who want a file's bytes."""
        return f"http://localhost:{self._store.server_port}"

    def __enter__(self) -> "HubServer":
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._hub, self._store):
            server.shutdown()
            server.server_close()

    def ranges(self) -> list[str | None]:
        """The `Range` of each download that was begun."""
        return [wanted for method, path, wanted in self.asked if path.startswith("/store/")]


def _handler(server: HubServer, store: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            server.asked.append((self.command, self.path, self.headers.get("Range")))
            if ("store" if store else "hub") in server.portal:
                self._page(b"<html>Please sign in</html>")
            elif store:
                server.at_store.append(dict(self.headers))
                self._send_file(server.files[self.path.removeprefix("/store/")])
            elif self.path.startswith(SMALL_FILES):
                self._send_small(server.files[self.path.removeprefix(f"{SMALL_FILES}{COMMIT}/")])
            else:
                self._redirect()

        def _page(self, content: bytes) -> None:
            self._head(200, {"Content-Length": str(len(content)), "ETag": '"page"'}, body=True)
            if self.command == "GET":
                self.wfile.write(content)

        def _redirect(self) -> None:
            """As huggingface.co answers /org/name/resolve/revision/file."""
            org, name, _, _, file = (self.path.split("/")[1:] + [""] * 5)[:5]
            content = server.files.get(f"{org}/{name}/{file}")
            if server.status:
                codes = {401: {"X-Error-Code": "RepoNotFound"}}  # also for what is not there
                self._head(server.status, codes.get(server.status, {}))
            elif server.gated:
                self._head(403, {"X-Error-Code": "GatedRepo"})
            elif content is None:
                self._head(404, {"X-Error-Code": "EntryNotFound"})
            elif not file.endswith((".nemo", ".bin", ".safetensors")):
                self._head(
                    307,
                    {
                        "Location": f"{SMALL_FILES}{COMMIT}/{org}/{name}/{file}",
                        "X-Repo-Commit": COMMIT,
                    },
                )
            else:
                self._head(
                    302,
                    {
                        "Location": f"{server.store_url}/store/{org}/{name}/{file}",
                        "X-Repo-Commit": COMMIT,
                        "X-Linked-Size": str(len(content)),
                        "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
                    },
                )

        def _send_small(self, content: bytes) -> None:
            """As huggingface.co answers for a file that lies in git itself."""
            git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            if self.command == "HEAD":
                headers = {"Content-Length": str(len(content)), "X-Repo-Commit": COMMIT}
                self._head(200, headers | {"ETag": f'"{git}"'}, body=True)
            else:
                self._send_file(content)

        def _send_file(self, content: bytes) -> None:
            wanted = self.headers.get("Range") if server.resumes else None
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            rest = bytes(len(content) - start) if server.spoil else content[start:]
            headers = {"Content-Length": str(len(rest)), "Connection": "close"}  # said, as it is so
            if wanted:
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self._head(206 if wanted else 200, headers, body=True)
            until = server.break_after.pop(0) if server.break_after else len(rest)
            with suppress(OSError):  # whoever asked has gone
                self._send(rest[:until])
            self.close_connection = True

        def _send(self, content: bytes) -> None:
            step = server.rate // 20 or len(content) or 1
            for start in range(0, len(content), step):
                self.wfile.write(content[start : start + step])
                if server.rate:
                    time.sleep(0.05)

        def _head(self, status: int, headers: dict[str, str], body: bool = False) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if not body:
                self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler
