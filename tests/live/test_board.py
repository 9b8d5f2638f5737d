"""What is forgotten stays forgotten, on every page."""

import pytest

from utils.captions.export.marks import Wording
from utils.captions.transcript import BLOCK_BYTES, DOWNLOADS, FORMS, Transcript
from utils.events import CaptionEvent, Emotion
from utils.live.board import LATE_JOINER_LINES, Board

SAD = Emotion("sad", 0.9, {"sad": 0.9, "neutral": 0.1})


def line(segment: int, text: str = "words", final: bool = True) -> CaptionEvent:
    return CaptionEvent(segment, float(segment), segment + 1.0, text, final, {"emotion": SAD})


@pytest.fixture
def events() -> list[tuple[str, dict]]:
    return []


@pytest.fixture
def board(events) -> Board:
    return Board(lambda name, payload: events.append((name, payload)))


def lines(board: Board) -> list[CaptionEvent]:
    """What a page that opens now is sent."""
    return board.latest()[0]


def whole(board: Board, form: str) -> str:
    return b"".join(board.export(form)).decode()


def test_what_was_heard_before_a_clear_does_not_come_after_it(board, events):
    board.show(line(0), board.cuts)
    before = board.cuts
    board.show(line(1, "secr", final=False), before)
    board.clear()
    board.show(line(1, "secret", final=True), before)
    assert events[-1] == ("cleared", {}) and lines(board) == [] and whole(board, "txt") == ""
    board.show(line(2), board.cuts)
    assert [e.segment for e in lines(board)] == [2]


def test_a_blank_ends_the_growing_line_and_keeps_nothing_after_it(board, events):
    kept: list[CaptionEvent] = []
    board.set_keep(lambda line, corrects: kept.append(line))
    board.show(line(0, "so far", final=False), board.cuts)
    before = board.cuts
    board.set_blank(True)
    assert events[-1][1]["text"] == "so far" and events[-1][1]["final"]
    for cuts in (before, board.cuts):
        board.show(line(1, "private"), cuts)
    assert lines(board) == []
    board.set_blank(False)
    board.show(line(1, "private"), before)
    assert [e.text for e in lines(board)] == ["so far"] == [e.text for e in kept]


def test_emotion_that_is_turned_off_is_forgotten_too(board, events):
    board.show(line(0), board.cuts)
    board.set_emotion(False)
    board.show(line(1), board.cuts)
    assert events[-1][1]["emotion"] is None
    assert not any(e.emotion for e in lines(board)) and "sad" not in whole(board, "txt")


def test_only_finished_lines_are_kept_on_disk(board):
    kept: list[CaptionEvent] = []
    board.set_keep(lambda line, corrects: kept.append(line))
    board.show(line(0, "grow", final=False), board.cuts)
    board.show(line(0, "grown"), board.cuts)
    assert [e.text for e in kept] == ["grown"]
    board.set_keep(None)
    board.show(line(1), board.cuts)
    assert len(kept) == 1


def test_a_late_page_gets_the_latest_lines_and_idle_time_counts_from_them(board):
    assert board.idle_s is None
    for segment in range(LATE_JOINER_LINES + 10):
        board.show(line(segment), board.cuts)
    assert lines(board)[0].segment == 10
    assert 0 <= board.idle_s < 60


def test_a_sound_is_kept_and_exported_and_counts_as_no_words(board, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("utils.live.board.time.monotonic", lambda: now[0])
    board.show(line(0), board.cuts)
    now[0] += 60.0
    board.show(CaptionEvent(1, 5.0, 6.0, "", True, sound="dog barking"), board.cuts)
    assert board.idle_s == 60.0  # nobody has spoken since
    assert [e.sound for e in lines(board)] == [None, "dog barking"]
    for form in ("txt", "srt", "vtt"):
        assert "[dog barking]" in whole(board, form)
    assert '"sound": "dog barking"' in whole(board, "json")


def test_an_export_tells_in_the_language_of_the_page_what_is_known_of_a_line(board):
    korean = Wording("ko", {"sound.rain": "빗소리", "emotion.sad": "슬픔"})
    board.show(line(0), board.cuts)
    for segment, sound in enumerate(("rain", "our {bell}"), 1):
        board.show(CaptionEvent(segment, 5.0, 6.0, "", True, sound=sound), board.cuts)
    for form in ("txt", "srt", "vtt", "docx"):
        told = b"".join(board.export(form, wording=korean)).decode()
        assert all(f"[{mark}]" in told for mark in ("슬픔", "빗소리", "our {bell}")), form
        assert "[rain]" in whole(board, form) and "words" in told
    assert b"".join(board.export("json", wording=korean)).decode() == whole(board, "json")


def test_a_late_page_is_told_which_line_it_is_not_sent(board):
    for segment in range(0, 2 * LATE_JOINER_LINES, 2):
        board.show(line(segment), board.cuts)
    assert board.latest()[1] is None and len(lines(board)) == LATE_JOINER_LINES
    for segment in range(2 * LATE_JOINER_LINES, 2 * LATE_JOINER_LINES + 10, 2):
        board.show(line(segment), board.cuts)
    shown, left_out = board.latest()
    assert len(shown) == LATE_JOINER_LINES and left_out == 8 and shown[0].segment == 10
    board.set_blank(True)
    assert board.latest() == ([], None)


@pytest.mark.parametrize("form", FORMS)
def test_an_export_that_grows_is_what_one_made_at_once_is(board, form):
    said = Transcript()

    def show(event: CaptionEvent) -> None:
        board.show(event, board.cuts)
        said.add(event)

    def at_once() -> str:
        return "".join(DOWNLOADS[form](said.final()))

    for segment in range(450):
        show(line(segment, "so it -->\ngrows & <grows>", final=False))
        if segment % 7:
            show(line(segment, f"{segment} lines " * (segment % 30)))
        if segment % 90 == 0:
            assert whole(board, form) == at_once()
    show(line(7, "late"))  # a line before others ends after them
    show(line(8, "again"))  # one that was final is put right
    show(line(9, ""))  # and one is taken back
    assert whole(board, form) == at_once()
    assert "again" in whole(board, form)
    board.set_emotion(False)
    said.change(lambda line: line.tagged("emotion", None))
    assert whole(board, form) == at_once()


@pytest.mark.parametrize("form", FORMS)
def test_all_who_export_get_the_same_blocks(board, form):
    for segment in range(5000):
        board.show(line(segment), board.cuts)
    one, other = board.export(form), board.export(form)
    board.show(line(5000), board.cuts)
    later = board.export(form)
    assert len(one) > 3 and all(a is b for a, b in zip(one[1:-1], other[1:-1], strict=True))
    assert all(a is b for a, b in zip(one[1:-2], later[1:-1], strict=False))
    assert max(map(len, one)) <= BLOCK_BYTES


@pytest.mark.parametrize("form", FORMS)
def test_what_is_cleared_is_in_no_export(board, form):
    board.show(line(0, "secret"), board.cuts)
    assert "secret" in whole(board, form)
    board.clear()
    assert whole(board, form) == "".join(DOWNLOADS[form]([]))
    board.show(line(1, "next"), board.cuts)
    assert whole(board, form) == "".join(DOWNLOADS[form]([line(1, "next")]))


def test_who_opens_the_page_gets_what_the_others_were_sent(board, events):
    for segment in range(3):
        board.show(line(segment, final=segment < 2), board.cuts)
    assert all(board.payload(e) is sent for e, (_, sent) in zip(lines(board), events, strict=True))
    board.set_emotion(False)
    assert [board.payload(line)["emotion"] for line in lines(board)] == [None] * 3
