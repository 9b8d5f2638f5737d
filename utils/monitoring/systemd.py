"""The word to systemd: that the program serves, and that it still does what it is for.

The protocol is one datagram (sd_notify(3)), so it is spoken here: the package `sdnotify` has been
without a release since 2017, and speaks no more of it than these lines.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


def notify(state: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell systemd a state, such as `READY=1`; return whether anybody was told."""
    path = environment.get("NOTIFY_SOCKET", "")
    if path[:1] not in ("/", "@") or not hasattr(socket, "AF_UNIX"):
        return False
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)  # a systemd that does not listen holds nobody up
        # "@": a name of Linux that is in no file system, which begins with a zero
        sender.connect("\0" + path[1:] if path[0] == "@" else path)
        sender.sendall(state.encode())
        return True
    return False


def watched(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether systemd starts this process anew when its word does not come."""
    for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return (
        for_us
        and environment.get("WATCHDOG_USEC", "0").isdigit()
        and bool(int(environment.get("WATCHDOG_USEC", "0")))
    )
