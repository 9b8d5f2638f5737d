"""Translation in a room: asked for by the operator, offered to readers, kept right by the presenter."""

import pytest

from tests.live.test_board import line, lines
from tests.live.test_room import board, room, told  # noqa: F401  # fixtures
from utils.captions.offending import OffendingWords
from utils.config import Settings, load
from utils.errors import ConfigError
from utils.live import loading
from utils.live.saved import read_saved
from utils.models.translation.files import find_translations, route
from utils.tags.translation import TranslationTag
from utils.translation.desk import Desk


def opened(**settings):
    missing: list = []
    desk = loading._open_translation(Settings(**settings), missing)
    return desk, [str(message) for message in missing]


def test_nothing_translates_unless_somebody_asks_for_it(here, monkeypatch):
    monkeypatch.setattr("utils.models.translation.files.find_translations", None)
    assert opened() == (None, [])
    assert opened(translate="en") == (None, [])  # as it is spoken


def test_what_no_model_says_is_not_offered_and_told_with_what_to_do(here):
    desk, (told,) = opened(translate="FR, ko,de , fr")
    assert desk.languages == ("fr",)
    assert "from en to ko, de" in told and "models get en-ko" in told
    desk.close()


def test_a_model_that_cannot_be_used_costs_no_captions(here):
    (here / "en-fr/shared_vocabulary.json").write_text('["</s>"]')
    desk, (told,) = opened(translate="fr")
    assert desk is None and told.startswith("Lines are not translated: ")


@pytest.mark.parametrize("given", ["french", "fr;de", "f", "../fr"])
def test_what_is_no_language_is_refused(given, tmp_path):
    with pytest.raises(ConfigError, match="such as fr,de"):
        load({"translate": given}, tmp_path / "none", {})


def test_a_mended_line_is_translated_anew_and_undone_it_has_the_old_one(room, board, here):
    tag = TranslationTag(Desk({"fr": route("en", "fr", find_translations())}))
    heard = line(0).tagged("translation", {"fr": "mot"})
    room.corrections._session.of_words = lambda words: {tag.name: tag.of(words)}
    room.set_saving(True)
    board.show(heard, board.cuts)
    room.corrections.correct(0, "Thank you.", "")
    tag.of("the last").result()
    (mended,) = lines(board)
    assert mended.text == "Thank you." and mended.tags["translation"] == {"fr": "Merci."}
    board.show(heard.tagged("loudness", "loud"), board.cuts)  # another tag comes late
    assert lines(board)[0].tags["translation"] == {"fr": "Merci."}
    room.corrections.restore(0)
    assert lines(board)[0].text == "words" and lines(board)[0].tags["translation"] == {"fr": "mot"}
    room.set_saving(False)
    (path,) = room.history._folder.glob("*.jsonl")
    assert read_saved(path)[0] == lines(board)
    tag.close()


def test_exports_have_the_words_and_below_them_those_in_other_languages(room, board, tmp_path):
    event = line(0).tagged("translation", {"fr": "mot de merde", "ko": "shit"})
    board.show(event, board.cuts)
    text = b"".join(room.export("txt")).decode()
    assert text.endswith("words\n       fr: mot de merde\n       ko: shit\n")
    assert b"mot de merde" in b"".join(room.export("docx"))
    assert b"merde" not in b"".join(room.export("srt"))  # two rows are what a cue has
    hidden = b"".join(room.export("json", "hidden")).decode()
    assert "shit" not in hidden and "***" in hidden
    assert OffendingWords(tmp_path / "none").mask(event, "off") is event
