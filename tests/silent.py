"""Runs a command where nothing can leave unseen: `python -m tests.silent FOLDER COMMAND...`.

It has to begin in a network namespace of its own (`unshare --net`). There a cable is laid to
nowhere, with the only route, and what goes into it, or to a name server of this machine, is
written down. FOLDER becomes the command's home. Prints one JSON object when the command ends.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

HERE, THERE = "198.51.100.1", "198.51.100.2"  # reserved for documentation (RFC 5737)
THERE_MAC = "02:00:00:00:00:02"
ETH_P_ALL, ETH_P_IP, ETH_P_ARP = 3, 0x0800, 0x0806
NAMES_PORT = 53


def lay_cable() -> None:
    """Two ends of a cable, the far one open; all that is not this machine's goes into it."""
    for command in (
        "link set lo up",
        "link add near type veth peer name far",
        f"address add {HERE}/24 dev near",
        f"link set far address {THERE_MAC}",
        "link set near up",
        "link set far up",
        f"neigh replace {THERE} lladdr {THERE_MAC} dev near nud permanent",
        f"route add default via {THERE} dev near",
    ):
        subprocess.run(["ip", *command.split()], check=True)


class Listener:
    """Writes down every IPv4 packet and every question for an address."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            frame, (device, *_) = self._socket.recvfrom(65535)
            if (what := _describe(frame, device)) and what not in self.seen:
                self.seen.append(what)


def _describe(frame: bytes, device: str) -> str:
    """What a frame is; "" for this machine's own talk."""
    (kind,) = struct.unpack_from("!H", frame, 12)
    if kind == ETH_P_ARP and device == "far":
        return f"asks who has {socket.inet_ntoa(frame[38:42])}"
    if kind != ETH_P_IP:
        return ""
    start = 14 + 4 * (frame[14] & 0x0F)
    protocol, to = frame[23], socket.inet_ntoa(frame[30:34])
    port = struct.unpack_from("!H", frame, start + 2)[0] if protocol in (6, 17) else 0
    if device == "lo" and port != NAMES_PORT:
        return ""
    return f"protocol {protocol} to {to}:{port} {_name(frame[start + 8 :], port)}".strip()


def _name(question: bytes, port: int) -> str:
    """The name that a question to a name server is for."""
    if port != NAMES_PORT:
        return ""
    return "".join(chr(b) if chr(b).isprintable() else "." for b in question[12:80]).strip(".")


def main(folder: str, command: list[str]) -> None:
    """Run the command to its end, and print what was seen."""
    lay_cable()
    listener = Listener()
    home = Path(folder)
    environment = {name: text for name, text in os.environ.items() if not name.startswith("XDG_")}
    environment |= {"HOME": folder, "TMPDIR": folder}
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    files = sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())
    print(
        json.dumps(
            {
                "status": run.returncode,
                "output": run.stdout[-4000:],
                "errors": run.stderr[-4000:],
                "seen": listener.seen,
                "files": files,
            }
        )
    )


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main(sys.argv[1], sys.argv[2:])
