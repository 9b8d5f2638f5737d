"""A room of readers: `python -m tests.readers URL COOKIE N SECONDS [NODE…]`, in its own process.

Opens a presenter's page, by its cookie, and N readers over real WebSocket connections, at the
web nodes in turn where there are any, presses Start, and prints as JSON how long after the presenter's page each reader got each caption.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence

import aiohttp

OPEN_AT_ONCE = 20


class Page:
    """A page: when it got each caption, in seconds of the machine's clock."""

    def __init__(self) -> None:
        self.got: dict[str, float] = {}
        self.opened = asyncio.Event()

    async def run(self, session: aiohttp.ClientSession, url: str, cookie: str) -> None:
        address = f"{url}/socket.io/?EIO=4&transport=websocket"
        headers = {"Cookie": cookie} if cookie else {}
        async with session.ws_connect(address, compress=15, headers=headers) as self.socket:
            async for message in self.socket:
                now, text = time.monotonic(), message.data
                if text.startswith("0"):
                    await self.socket.send_str("40")
                elif text.startswith("40"):
                    self.opened.set()
                elif text == "2":
                    await self.socket.send_str("3")
                elif text.startswith('42["caption"'):
                    self.got.setdefault(text, now)


async def room(
    url: str, cookie: str, n_readers: int, seconds: float, nodes: Sequence[str] = ()
) -> dict:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        pages = [Page() for _ in range(n_readers + 1)]
        tasks = []
        for i, page in enumerate(pages):
            at = nodes[i % len(nodes)] if i and nodes else url
            tasks.append(asyncio.create_task(page.run(session, at, "" if i else cookie)))
            if i % OPEN_AT_ONCE == 0 or page is pages[-1]:
                await asyncio.gather(*(p.opened.wait() for p in pages[: i + 1]))
        await pages[0].socket.send_str('42["start"]')
        await asyncio.sleep(seconds)
        async with session.get(f"{url}/health") as answer:
            health = await answer.json()
        await pages[0].socket.send_str('42["stop"]')
        await asyncio.sleep(2)
        lost = sum(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    kiosk, *readers = pages
    lags_s = [[r.got[e] - at for e, at in kiosk.got.items() if e in r.got] for r in readers]
    missed = sum(e not in r.got for r in readers for e in kiosk.got)
    return {
        "lags_s": lags_s,
        "captions": len(kiosk.got),
        "missed": missed,
        "lost": lost,
        "late_frames": health["queue_depth"],
    }


if __name__ == "__main__":
    url, cookie, n_readers, seconds = *sys.argv[1:3], int(sys.argv[3]), float(sys.argv[4])
    print(json.dumps(asyncio.run(room(url, cookie, n_readers, seconds, sys.argv[5:]))))
