"""Several rooms of one program: each an application of its own, behind one list of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from flask import Flask

from utils.config import Gathered, Settings
from utils.folders import state_folder
from utils.live.engines import Engines
from utils.live.loader import Progress
from utils.live.mending.remembered import Remembered, remembered_list
from utils.live.several.common import Common
from utils.monitoring.of_room import of_room
from web.access import TOKEN_FILE, Links, Token
from web.gate import guarded
from web.own_hall import OwnHall, Together
from web.pages import add_health, protect
from web.room_app import Among, add_room, care_for
from web.rooms import Rooms

LoadOnce = Callable[[Settings, Progress, int], Engines]  # the last is how many rooms listen


def add_rooms(
    make: Callable[[], Flask],
    found: Gathered,
    several: Sequence[Settings],
    file: Path,
    load: LoadOnce,
) -> Flask:
    """The list of rooms and their pages; nothing is loaded until it is served.

    Serve it as `web.room_app.add_room` says, each of `app.extensions["rooms"]`, within
    `app.extensions["common"]`.

    Parameters
    ----------
    make : a new application, which has the project's templates and files
    several : the settings of each room
    file : the settings file
    load : brings what captions of all rooms are made with
    """
    token = Token(state_folder() / TOKEN_FILE)
    links = Links(token)
    common = Common(lambda progress: load(found.settings, progress, len(several)))
    remembered = Remembered(remembered_list())
    names = tuple(settings.room for settings in several)
    apps: dict[str, Flask] = {}
    for settings in several:
        with of_room(settings.room):
            apps[settings.room] = add_room(
                make(),
                replace(found, settings=settings),
                file,
                lambda settings, progress, first: common.engines(progress, first),
                Among(settings.room, names, remembered, links.run),
            )
    app = make()
    rooms = list(apps.values())
    add_health(app, Together({n: a.extensions["session"] for n, a in apps.items()}), token)
    protect(app)
    hall = OwnHall(apps, token, links)
    app.wsgi_app = guarded(Rooms(app, hall), found.settings)  # type: ignore[method-assign]
    app.extensions |= {"rooms": rooms, "common": common, "links": links}
    app.extensions["care"] = care_for(rooms, found.settings)
    return app
