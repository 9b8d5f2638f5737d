"""The set-up over the web: what presenters ask for, and what they are told when they open."""

from collections.abc import Callable, Mapping

from flask import Flask, request

from utils.address import ANY, is_loopback
from utils.config import Settings
from utils.errors import RequestError
from utils.live.session import Told
from utils.messages import say
from utils.setup.setup import Setup
from web.link import reader_url, tell_where
from web.peers import peer


class SetupEvents:
    """Takes what presenters ask of the set-up.

    Parameters
    ----------
    setup : does it
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def orders(self) -> dict[str, tuple[Mapping[str, type], Callable]]:
        """What the presenter may ask for: the payload's fields, and what is done with them."""
        setup = self._setup
        return {
            "setup_look": ({}, setup.look),
            "setup_devices": ({}, setup.devices),
            "setup_end": ({}, setup.end),
            "choose": ({"name": str, "value": str}, self._choose),
            "try": ({"microphone": str}, self._try),
            "try_end": ({}, setup.trial.end),
            "listen_anew": ({}, setup.listen_anew),
            "model_get": ({"name": str}, setup.fetch),
            "model_pause": ({}, setup.pause),
            "model_cancel": ({"name": str}, setup.cancel),
            "model_measure": ({"name": str}, setup.measure),
        }

    def greeting(self) -> Told:
        """What a presenter's page is told when it opens."""
        return [("setup", self._setup.state())]

    def left(self, page: str) -> None:
        """A page has gone."""
        self._setup.trial.left(page)

    def _try(self, microphone: str) -> None:
        if self._setup.settings.source:
            raise RequestError(say("refused.recording"))
        self._setup.trial.begin(microphone, request.sid)  # type: ignore[attr-defined]

    def _choose(self, name: str, value: str) -> None:
        closes = name == "host" and value not in ANY
        if closes and not is_loopback(peer(request.environ).address):
            raise RequestError(say("refused.outside"))
        self._setup.choose(name, value)


def serve_at(app: Flask, settings: Settings) -> None:
    """Serve the page at other addresses of this computer, while it is open.

    Raises
    ------
    ConfigError : there it cannot be served; it is served where it was
    """
    app.extensions["server"].move(settings.host)
    app.extensions["room"].reader_url = reader_url(settings)
    tell_where(settings, app.extensions["links"].run, [app.extensions["session"]])
