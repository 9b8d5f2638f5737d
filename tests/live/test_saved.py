"""A saved session is gone through quickly, and holds the same lines as when it is read whole."""

import json
import random

import pytest

from utils.events import CaptionEvent, Emotion, Word
from utils.live.saved import SavedFile, read_saved

ANGRY = Emotion("angry", 0.9, {"angry": 0.9, "neutral": 0.1})


def entry(segment: int, text: str, **more: object) -> str:
    words = tuple(Word(word, segment, segment + 1) for word in text.split())
    line = CaptionEvent(segment, float(segment), segment + 1.5, text, True, {}, words)
    return json.dumps(line.to_dict() | more, ensure_ascii=False)


def late(segment: int, text: str) -> str:
    """The same line once more, with a tag that came late."""
    line = json.loads(entry(segment, text))
    event = CaptionEvent(segment, line["start_s"], line["end_s"], text, True, {"emotion": ANGRY})
    return json.dumps(event.to_dict())


FILES = {
    "plain": [entry(0, "One."), entry(1, 'She said: "two" \\ three.'), entry(2, '"Four."')],
    "late tags": [entry(0, "One."), entry(1, "Two."), late(0, "One."), late(1, "Two.")],
    "late and damaged": [entry(0, "One."), late(0, "One.").replace("0.9", '"x"'), entry(1, "Two.")],
    "late and cut": [entry(0, "One."), late(0, "One.")[:-20]],
    "mended": [entry(0, "Won."), entry(1, "Two."), entry(0, "One.", corrects="Won.")],
    "mended back": [
        *(entry(0, "Won."), entry(0, "One.", corrects="Won."), entry(0, "Won.", corrects="One.")),
        late(0, "Won."),
    ],
    "another session's": [entry(0, "One."), entry(0, "Two."), entry(0, "One.")],
    "in another form": [
        json.dumps(json.loads(entry(0, "One.")), sort_keys=True),
        json.dumps(json.loads(entry(1, "Two.")), separators=(",", ":")),
        late(1, "Two."),
    ],
    "growing": [entry(0, "On", final=False), entry(0, "One."), entry(1, "", final=True)],
    "a sound": [entry(0, "", sound="laughter"), entry(1, "One.")],
    "odd lines": ["", "[]", "{", "\0" * 50, '"x"', entry(0, "One."), "{}", entry(1, "Two.")],
    "odd times": [entry(0, "One.", end_s=-1.0), entry(1, "Two.", start_s=9e9), entry(2, "Three.")],
}


@pytest.mark.parametrize("lines", FILES.values(), ids=FILES)
def test_it_holds_what_is_there_when_all_is_read(tmp_path, lines):
    path = tmp_path / "saved.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    whole, _ = read_saved(path)
    with SavedFile(path) as saved:
        assert list(saved) == whole != []
        assert len(saved) == len(whole)
        span_s = max(e.end_s for e in whole) - min(e.start_s for e in whole)
        assert saved.span_s == span_s


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_damaged_no_line_is_there_that_is_not_when_all_is_read(tmp_path, seed):
    chance = random.Random(seed)
    data = bytearray("\n".join(text for lines in FILES.values() for text in lines), "utf-8")
    for _ in range(30):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path = tmp_path / "saved.jsonl"
    path.write_bytes(data)
    with SavedFile(path) as saved:
        assert {*map(repr, saved)} <= {*map(repr, read_saved(path)[0])}


def test_a_file_without_captions_has_no_line(tmp_path):
    path = tmp_path / "saved.jsonl"
    path.write_text("no captions\n" * 1000)
    with SavedFile(path) as saved:
        assert len(saved) == 0 and list(saved) == [] and saved.span_s == 0.0
