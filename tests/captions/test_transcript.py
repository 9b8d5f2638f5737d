"""Exports keep every word, in cues that fit and in order of time."""

import json

from utils.captions.transcript import LINE_CHARS, Transcript, to_jsonl, to_srt, to_txt, to_vtt
from utils.events import CaptionEvent, Emotion, Word

ANGRY = Emotion("angry", 0.9, {"angry": 0.9, "neutral": 0.1})
GROWING = CaptionEvent(0, 1.0, 2.0, "good", False)
FINAL = CaptionEvent(0, 1.0, 3.5, "good morning <all> & sundry", True, {"emotion": ANGRY})
LONG = CaptionEvent(1, 3661.5, 3670.0, " ".join(["word"] * 40), True)
EVENTS = [GROWING, FINAL, LONG]


def test_exports_mark_what_is_likely_and_say_nothing_of_neutral():
    for grade, label, begins in (
        ("sure", "angry", "[angry] good"),
        ("likely", "angry", "[angry?] good"),
        ("sure", "neutral", "good"),
    ):
        told = FINAL.tagged("emotion", Emotion(label, 0.9, {label: 0.9}, grade))
        (line,) = to_txt([told])
        assert line.split(maxsplit=1)[1].startswith(begins)


def test_jsonl_gives_every_event_with_the_wire_fields():
    lines = [json.loads(line) for line in to_jsonl(EVENTS)]
    assert [line["final"] for line in lines] == [False, True, True]
    assert lines[0]["emotion"] is None
    assert lines[1]["emotion"]["label"] == "angry"
    assert {"segment", "start_s", "end_s", "text", "final", "emotion"} <= lines[0].keys()


def test_txt_has_times_and_tone():
    assert list(to_txt(EVENTS)) == [
        "00:01  [angry] good morning <all> & sundry\n",
        f"61:01  {LONG.text}\n",
    ]


def test_srt_cues_are_numbered_fit_and_keep_all_words():
    blocks = "".join(to_srt(EVENTS)).strip().split("\n\n")
    assert blocks[0] == "1\n00:00:01,000 --> 00:00:03,500\n[angry] good morning <all> & sundry"
    words = []
    for number, block in enumerate(blocks, 1):
        index, times, *lines = block.split("\n")
        assert index == str(number)
        assert len(lines) <= 2 and all(len(line) <= LINE_CHARS for line in lines)
        begin, end = times.split(" --> ")
        assert begin < end
        words += " ".join(lines).split()
    assert words == f"[angry] {FINAL.text} {LONG.text}".split()
    assert blocks[-1].split("\n")[1].endswith("01:01:10,000")


def test_vtt_escapes_markup():
    text = "".join(to_vtt(EVENTS))
    assert text.startswith("WEBVTT\n\n00:00:01.000 --> 00:00:03.500\n")
    assert "&lt;all&gt; &amp; sundry" in text


def test_cues_follow_the_words_own_times():
    words = tuple(Word("word", 10 + i, 10.5 + i) for i in range(40))
    event = CaptionEvent(0, 9.8, 50.0, LONG.text, True, {}, words)
    starts = [block.split("\n")[1][:12] for block in "".join(to_srt([event])).strip().split("\n\n")]
    assert starts[0] == "00:00:09,800"
    assert all(start.endswith(",000") for start in starts[1:])


def test_a_line_is_replaced_and_an_empty_final_takes_it_back():
    transcript = Transcript()
    transcript.add(GROWING)
    assert transcript.latest(9) == [GROWING]
    transcript.add(FINAL)
    assert transcript.latest(9) == [FINAL]
    transcript.add(CaptionEvent(1, 4.0, 5.0, "noise", False))
    transcript.add(CaptionEvent(1, 4.0, 5.0, "", True))
    assert transcript.latest(9) == [FINAL]
