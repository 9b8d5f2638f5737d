"""What a room's presenter may ask for, by events."""

from collections.abc import Callable, Mapping

from utils.live.room import Room

Orders = Mapping[str, tuple[Mapping[str, type], Callable]]


def room_orders(room: Room) -> Orders:
    """By name: the payload's fields, and what is done with them."""
    return {
        "start": ({}, room.start),
        "stop": ({}, room.stop),
        "fetch": ({}, room.fetch),
        "clear": ({}, room.clear),
        "blank": ({"on": bool}, room.set_blank),
        "emotion": ({"on": bool}, room.set_emotion),
        "sounds": ({"on": bool}, room.set_sounds),
        "offending": ({"how": str}, room.set_offending),
        "clear_after": ({"minutes": int}, room.set_clear_after),
        "save": ({"on": bool}, room.set_saving),
        "history": ({"on": bool}, room.set_history),
        "forget": ({"name": str}, room.history.delete),
        "correct": (
            {"segment": int, "text": str, "remember": str},
            room.corrections.correct,
        ),
        "restore": ({"segment": int}, room.corrections.restore),
        "name_voice": ({"number": int, "name": str}, room.corrections.name_voice),
        "phrases": ({"list": list}, lambda list: room.set_phrases(list)),
        "lock": ({"on": bool}, room.kiosk.set_locked),
        "answers": ({"on": bool}, room.kiosk.set_answers),
        "answer": ({"text": str}, room.kiosk.answer),
        "speak": ({"text": str, "language": str}, room.speak),
    }
