"""The page's own words: every language complete, and the code's keys all there."""

import json
import re
import tracemalloc

import pytest

from utils.messages import SENTENCES
from web.words import FOLDER, languages, wording

ENGLISH = json.loads((FOLDER / "en.json").read_text(encoding="utf-8"))
HOME = FOLDER.parents[1]


def placeholders(sentence: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", sentence))


def test_each_file_is_a_language_with_its_own_name():
    assert languages() == {"en": "English", "ko": "한국어"}


def test_a_third_language_is_one_file(tmp_path):
    (tmp_path / "cy.json").write_text('{"language.name": "Cymraeg"}', encoding="utf-8")
    assert languages(tmp_path) == {"cy": "Cymraeg"}


def test_of_languages_that_strangers_make_up_nothing_is_kept():
    tracemalloc.start()
    try:
        assert wording("no language") is None
        before = tracemalloc.get_traced_memory()[0]
        for number in range(1000):
            assert wording(f"{number}{'x' * 1000}") is None
        assert tracemalloc.get_traced_memory()[0] - before < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("code", sorted(set(languages()) - {"en"}))
def test_a_language_has_every_key_and_placeholder(code):
    words = json.loads((FOLDER / f"{code}.json").read_text(encoding="utf-8"))
    # English says the server's sentences with the server's own words
    wanted = ENGLISH | {f"status.{name}": sentence for name, sentence in SENTENCES.items()}
    words.pop("language.direction", None)
    assert words.keys() == wanted.keys()
    for key, sentence in words.items():
        assert sentence.strip() and placeholders(sentence) == placeholders(wanted[key]), key


def test_every_key_that_the_page_uses_has_words():
    sources = [*HOME.glob("templates/**/*.html"), *HOME.glob("static/js/**/*.js")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    keys = set(re.findall(r'data-words(?:-label|-placeholder)?="([a-z_.0-9]+)"', text))
    keys |= set(re.findall(r'\bt\("([a-z_.]+)"', text))
    assert len(keys) > 40
    assert not {key for key in keys if key not in ENGLISH and f"{key}.other" not in ENGLISH}
