"""A program with several rooms, as a user starts it: its links, and a browser for each."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import requests

from tests.command_line.test_app import Client
from tests.program import Program


def tables(microphones: Mapping[str, str]) -> str:
    """The `[[room]]` of a settings file, of each room's name and microphone."""
    return "".join(
        f'[[room]]\nname = "{name}"\nmicrophone = "{microphone}"\n'
        for name, microphone in microphones.items()
    )


class Several(Program):
    """A program with several rooms.

    Parameters
    ----------
    home : of its settings and token
    environment : added to this process's
    names : of the rooms
    settings : its file
    arguments : of the command line, beside the port

    Attributes
    ----------
    operator : headers of a browser that operates all rooms
    rooms : headers of a browser that presents a room, by its name
    """

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str],
        names: Sequence[str],
        settings: str,
        arguments: Sequence[object] = ("--asr", "whisper", "--offline"),
    ) -> None:
        folder = home / "recognition_helpers"
        folder.mkdir(exist_ok=True)
        (folder / "settings.toml").write_text(settings)
        self.names = list(names)
        super().__init__(arguments, environment, home=str(home))

    def __enter__(self) -> "Several":
        assert self.process.stdout
        printed = [self.process.stdout.readline() for _ in range(2 + len(self.names))]
        assert self.url in printed[0], self.process.stderr and self.process.stderr.read()
        links = [re.findall(r"http\S+", line)[0] for line in printed[1:]]
        self.operator = self._opened(links[0], "/operate")
        self.rooms = {
            name: self._opened(link, f"/room/{quote(name)}/present")
            for name, link in zip(self.names, links[1:], strict=True)
        }
        return self

    def _opened(self, link: str, path: str) -> dict[str, str]:
        """The cookie that a browser gets for a link."""
        answer = requests.post(f"{self.url}{path}", link.rpartition("=")[2], timeout=30)
        assert answer.status_code == 204, answer.text
        return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}

    def listed(self) -> dict[str, dict]:
        """What the operator's page tells of each room."""
        answer = requests.get(f"{self.url}/rooms.json", headers=self.operator, timeout=30).json()
        assert answer["operator"] and answer["presents"]
        return {room["name"]: room for room in answer["rooms"]}

    def page(self, name: str, headers: dict[str, str]) -> Client:
        """A page of a room; a reader's, where the headers are empty."""
        return Client(self, headers, self.below(name))

    def below(self, name: str) -> str:
        """The path of a room."""
        return f"/room/{quote(name)}"
