"""Words that offend are found as whole words, with Korean particles, and shown as was chosen."""

import json
import shutil
import subprocess

import pytest

from utils.captions.offending import LISTS, OffendingWords
from utils.events import CaptionEvent, Word

CASES = [
    ("What the fuck is that?", "What the f*** is that?"),
    ("Motherfuckers, FUCKING hell.", "M***, F*** hell."),
    ("You son of a bitch!", "You s*** o*** a*** b***!"),
    ("“Shit,” he said; bullshit's shit.", "“S***,” he said; b***'s s***."),
    # harmless words with the same letters
    ("The Wankel engine in Scunthorpe", None),
    ("A flame retardant, a class of spice, shiitake", None),
    ("Dick Cheney and Moby Dick", None),
    ("assessment, cockpit, cocktail, Essex, therapist", None),
    ("이 씨발놈아 꺼져", "이 씨*** 꺼져"),
    ("너 병신이야? 병신들아!", "너 병***? 병***!"),
    ("시발, 시발이", "시***, 시***"),
    ("지랄하지 마", "지*** 마"),
    # a first stop, a young animal, a proper word
    ("시발역에서 출발합니다", None),
    ("시발점은 서울입니다", None),
    ("강아지 새끼가 귀여워요", None),
    ("병신년에 태어났다", None),
]


@pytest.fixture
def words(tmp_path) -> OffendingWords:
    return OffendingWords(tmp_path / "offending.txt")


@pytest.mark.parametrize(("text", "first"), CASES)
def test_whole_words_are_shortened_and_no_others(words, text, first):
    assert words.masked(text, "first") == (first or text)
    assert words.masked(text, "off") == text
    hidden = words.masked(text, "hidden")
    assert len(hidden.split()) == len(text.split())
    assert ("***" in hidden) == (first is not None)


def test_the_page_finds_the_same_words(words):
    """The expression, as JavaScript understands it."""
    if (node := shutil.which("node")) is None:
        pytest.skip("needs node; the page's own test is in tests/browser/test_offending.py")
    code = """const [pattern, texts] = JSON.parse(process.argv[1]);
        const found = new RegExp(pattern, "giu"), short = (w) => [...w][0] + "***";
        console.log(JSON.stringify(texts.map((t) => t.replace(found, (f) => f.replace(/\\S+/gu, short)))));"""
    texts = [text for text, _ in CASES]
    given = json.dumps([words.script_pattern(), texts])
    ended = subprocess.run([node, "-e", code, given], capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout) == [first or text for text, first in CASES]


def test_words_with_times_are_shortened_too(words):
    text = "Oh shit, you son of a bitch."
    spoken = tuple(Word(w, i, i + 1) for i, w in enumerate(text.split()))
    line = words.mask(CaptionEvent(0, 0.0, 9.0, text, True, {}, spoken), "hidden")
    assert line.text == "Oh ***, you *** *** *** ***."
    assert [word.text for word in line.words] == line.text.split()
    assert [word.start_s for word in line.words] == list(range(7))


@pytest.mark.parametrize(
    ("text", "heard", "hidden"),
    [
        # the recogniser counts words otherwise than the text does
        ("Oh, you son of a bitch", "you son of a bitch", "you *** *** *** ***"),
        ("a son of a bitch", "a son of|a bitch", "a *** ***|*** ***"),
        # the text was corrected, what was heard stands beside it
        ("Oh, you son of a beach", "you son of a bitch", "you *** *** *** ***"),
    ],
)
def test_what_is_several_words_is_shortened_in_their_times(words, text, heard, hidden):
    texts = [w for part in heard.split("|") for w in ([part] if "|" in heard else part.split())]
    spoken = tuple(Word(w, i, i + 1) for i, w in enumerate(texts))
    line = words.mask(CaptionEvent(0, 0.0, 9.0, text, True, {}, spoken), "hidden")
    assert " ".join(word.text for word in line.words) == hidden.replace("|", " ")
    assert [word.start_s for word in line.words] == list(range(len(spoken)))
    assert "bitch" not in line.text


def test_a_letter_in_two_pieces_is_the_same_letter(tmp_path):
    """As macOS writes "é"; and a mark in front, as Windows' editors write one."""
    own = tmp_path / "offending.txt"
    own.write_text("\ufeffcafe\u0301\n-bastard\n", encoding="utf-8")
    words = OffendingWords(own)
    for text in ("A caf\u00e9", "A cafe\u0301"):
        assert words.masked(text, "first") == "A c***"
    own.write_text("\ufeff-bastard\ncaf\u00e9", encoding="utf-8")
    words = OffendingWords(own)
    assert words.masked("A cafe\u0301, bastard", "first") == "A c***, bastard"


def test_a_line_without_such_words_is_the_same_one(words):
    line = CaptionEvent(0, 0.0, 1.0, "Good morning.", True)
    assert words.mask(line, "hidden") is line


def test_the_operators_list_adds_and_takes_away(tmp_path):
    own = tmp_path / "offending.txt"
    own.write_text("# ours\nblast*\n-bastard\na+b\n", encoding="utf-8")
    words = OffendingWords(own)
    assert words.problem is None
    text = "Blasted bastard, a+b bitch"
    assert words.masked(text, "first") == "B*** bastard, a*** b***"


@pytest.mark.parametrize("content", ["x" * 61, "***", "\n".join(f"w{i}" for i in range(1001))])
def test_a_list_that_cannot_be_is_told_and_the_others_hold(tmp_path, content):
    own = tmp_path / "offending.txt"
    own.write_text(content, encoding="utf-8")
    words = OffendingWords(own)
    assert words.problem and str(own) in words.problem
    assert words.masked("shit", "first") == "s***"


@pytest.mark.parametrize("path", sorted(LISTS.glob("*.txt")), ids=lambda path: path.stem)
def test_the_lists_are_short_and_say_where_they_come_from(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 80 and "licence" in text
