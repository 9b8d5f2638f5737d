"""The document of an export, read back by the library that reads and writes such files."""

import io
import zipfile

import docx
import pytest
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.captions.export.document import document
from utils.captions.export.marks import Wording
from utils.captions.transcript import SharedExport
from utils.events import CaptionEvent, Emotion


def line(segment: int, text: str, sound: str | None = None, **tags: object) -> CaptionEvent:
    return CaptionEvent(segment, 61.0 * segment, 61.0 * segment + 2, text, True, tags, (), sound)


def made(lines: list[CaptionEvent], language: str = "en"):
    export = SharedExport("docx")
    export.add(lines)
    return docx.Document(io.BytesIO(document(export.blocks(), language)))


def test_each_line_has_its_time_feeling_voice_name_and_mark():
    sad = Emotion("sad", 0.6, {"sad": 0.6}, "likely")
    found = made(
        [
            line(0, "Good <b>morning</b> & welcome.", emotion=sad, new_voice=True, mended=True),
            line(1, "", sound="laughter"),
            line(2, "안녕하세요", speaker={"number": 2, "name": "Ada"}),
            line(3, "Yes.", speaker={"number": 3}),
        ]
    )
    assert [p.text for p in found.paragraphs] == [
        "00:00\t- [mended] [sad?] Good <b>morning</b> & welcome.",
        "01:01\t[laughter] ",
        "02:02\tAda: 안녕하세요",
        "03:03\tVoice 3: Yes.",
    ]
    marks = found.paragraphs[0].runs
    assert marks[2].italic and marks[-1].italic is None  # words look as words do


@pytest.mark.parametrize(
    ("language", "name", "east_asian"), [("ko", "ko-KR", "ko-KR"), ("en", "en-US", "en-US")]
)
def test_it_says_what_is_spoken(language, name, east_asian):
    found = made([line(0, "안녕하세요", mended=True)], language)
    spoken = found.styles.element.find(f".//{qn('w:rPrDefault')}//{qn('w:lang')}")
    assert (spoken.get(qn("w:val")), spoken.get(qn("w:eastAsia"))) == (name, east_asian)
    assert found.core_properties.language == name
    time, mark, words = found.paragraphs[0].runs
    # what the program itself says is English, whatever is spoken
    assert [run._r.find(f".//{qn('w:lang')}") is None for run in (time, mark, words)] == [
        False,
        False,
        True,
    ]


def test_marks_in_another_language_say_so():
    export = SharedExport("docx", wording=Wording("ko", {"export.mended": "고침"}))
    export.add([line(0, "Good morning.", mended=True)])
    found = docx.Document(io.BytesIO(document(export.blocks(), "en")))
    _, mark, words = found.paragraphs[0].runs
    assert mark.text == "[고침] " and words.text == "Good morning."
    assert mark._r.find(f".//{qn('w:lang')}").get(qn("w:eastAsia")) == "ko-KR"
    assert words._r.find(f".//{qn('w:lang')}") is None


def test_nothing_of_who_or_what_made_it_is_in_it():
    about = made([line(0, "x")]).core_properties
    assert (about.author, about.last_modified_by, about.comments) == ("", "", "")


def test_nothing_said_is_a_document_too():
    assert [p.text for p in made([]).paragraphs] == []


@given(st.text(), st.text())
@settings(deadline=None, max_examples=30)
def test_no_letters_break_it(text, name):
    said = [line(0, text or "x", speaker={"number": 1, "name": name})]
    with zipfile.ZipFile(io.BytesIO(document(_blocks(said), "en"))) as file:
        assert file.testzip() is None
    assert len(made(said).paragraphs) == 1


def _blocks(lines: list[CaptionEvent]) -> tuple[bytes, ...]:
    export = SharedExport("docx")
    export.add(lines)
    return export.blocks()
