"""What words say: from the folder of a stranger to the tag of a finished line, and to exports."""

import json
import shutil
import threading
from pathlib import Path

import pytest
import torch

from tests.captions.test_tags import heard, line  # noqa: F401  # a fixture
from tests.live.test_board import line as finished
from tests.live.test_board import lines
from tests.live.test_room import board, room, told  # noqa: F401  # fixtures
from tests.live.test_voice import wait
from tests.made_tags import OneWord
from tests.text_emotion_models import SAID, changed, make_roberta
from tests.translation_models import make_opus
from utils.captions.pipeline import Captioner
from utils.captions.transcript import to_docx, to_srt, to_txt
from utils.command_line import models
from utils.command_line.batch import _how, _of_words
from utils.config import Settings
from utils.errors import ConfigError, ModelError
from utils.live import loading
from utils.live.saved import read_saved
from utils.live.session import Session
from utils.models.catalogue import TEXT_EMOTIONS
from utils.models.check import check_files
from utils.models.nemo.files import find_models, on_this_machine
from utils.models.text_emotion import add, check_whole, find_text_emotions, look_into, read_tokens
from utils.models.translation.files import find_translations
from utils.models.whisper.files import find_whisper, is_whisper, whisper_here
from utils.tags.text_emotion import TextEmotionTag
from utils.text_emotion.classifier import load
from utils.text_emotion.desk import TextEmotionDesk

[MODEL] = TEXT_EMOTIONS
SAD = {"label": "sad", "confidence": 0.9, "scores": {"sad": 0.9, "neutral": 0.1}}


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """A folder whose weights are as `torch.save` writes them, as the real one's are."""
    return make_roberta(tmp_path_factory.mktemp("text") / "made")


@pytest.fixture
def here(made, models_here) -> Path:
    """It on this machine."""
    return shutil.copytree(made, models_here / MODEL.name)


def test_words_have_the_same_scores_as_by_transformers_own_way(made, tmp_path):
    from transformers import RobertaForSequenceClassification, RobertaTokenizer

    safe = make_roberta(tmp_path / "safe", safe=True)
    for folder in (made, safe):
        own = load(folder)
        for text, label in SAID.items():
            scores = own.scores(text)
            assert max(scores, key=scores.get)[:2] == {"joy": "happy"}.get(label, label)[:2]
    network = RobertaForSequenceClassification.from_pretrained(safe, local_files_only=True)
    tokenizer = RobertaTokenizer(str(safe / "vocab.json"), str(safe / "merges.txt"))
    logits = network(**tokenizer("Oh é 말!", return_tensors="pt")).logits
    theirs = logits.softmax(dim=-1)[0].tolist()
    assert [*own.scores("Oh é 말!").values()] == pytest.approx(theirs, abs=1e-5)
    assert sum(own.scores("word " * 1000).values()) == pytest.approx(1)  # more than it can read


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"architectures": ["BertForSequenceClassification"]}, "no RobertaForSequenceClass"),
        ({"auto_map": {"AutoModel": "x.X"}, "model_type": "x"}, "no RobertaForSequenceClass"),
        ({"hidden_size": 10**9}, "no hidden_size from 1 to 1024"),
        ({"hidden_size": 33}, "sizes that do not fit"),
        ({"vocab_size": True}, "no vocab_size"),
        ({"layer_norm_eps": "x"}, "layer_norm_eps"),
        ({"hidden_act": "relu"}, "not gelu"),
        ({"id2label": {str(n): f"LABEL_{n}" for n in range(100_000)}}, "id2label of 2 to 7"),
        ({"id2label": {"0": "POSITIVE", "1": "joy"}}, "tells POSITIVE, joy; expected classes"),
        ({"id2label": {"0": "joy", "1": "joy"}}, "each once"),
        ({"id2label": {"0": "joy", "1": "Joy"}}, "each once"),
        ({"num_hidden_layers": 2}, "does not fit"),
        ({"id2label": {"0": "joy", "1": "anger"}}, "does not fit"),
    ],
)
def test_what_a_model_says_of_itself_is_not_believed(made, tmp_path, change, told):
    bad = shutil.copytree(made, tmp_path / "bad")
    changed(bad, **change)
    with pytest.raises(ModelError, match=told) as refused:
        load(bad)
    assert str(bad) in str(refused.value)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("config.json", None, "has no config.json; expected a folder with"),
        ("config.json", b"[" * 1000, "config.json is not what it should be"),
        ("vocab.json", None, "has no vocab.json"),
        ("merges.txt", None, "has no merges.txt"),
        ("vocab.json", b"[]", "vocab.json is none of a RoBERTa"),
        ("vocab.json", b'{"<s>": 0, "</s>": 70000}', "vocab.json is none of a RoBERTa"),
        ("merges.txt", "\u0120q zz\n".encode(), "merges.txt does not fit its vocab.json"),
        ("pytorch_model.bin", None, "neither model.safetensors nor pytorch_model.bin"),
        ("pytorch_model.bin", b"\x80\x02}q\x00.", "no PyTorch archive"),  # a pickle alone
        ("model.safetensors", b"\xff" * 100, "cut short, or no file of safetensors"),
        ("model.safetensors", b"\x02" + bytes(7) + b"{}..", "cut short"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused_in_plain_words(made, tmp_path, name, data, told):
    bad = shutil.copytree(made, tmp_path / "bad")
    if data is None:
        (bad / name).unlink()
    else:
        (bad / name).write_bytes(data)
    with pytest.raises(ModelError, match=told):
        check_whole(bad)


def test_merges_that_an_editor_of_windows_wrote_are_the_same(made, tmp_path):
    other = shutil.copytree(made, tmp_path / "other")
    text = (other / "merges.txt").read_bytes()
    (other / "merges.txt").write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    assert read_tokens(look_into(other)) == read_tokens(look_into(made))


def test_weights_that_answer_some_words_with_no_number_are_damage(made, tmp_path):
    bad = shutil.copytree(made, tmp_path / "bad")
    weights = torch.load(bad / "pytorch_model.bin")
    token = json.loads((bad / "vocab.json").read_text())["Y"]
    weights["roberta.embeddings.word_embeddings.weight"][token] = 3e38
    torch.save(weights, bad / "pytorch_model.bin")
    classifier = load(bad)
    with pytest.raises(ModelError, match="bad is damaged: its answers are no numbers"):
        classifier.scores("Yes.")


def test_it_is_fetched_by_its_name_listed_and_deleted(made, hub, models_here, capsys):
    hub.files |= {f"{MODEL.repo}/{f.name}": f.read_bytes() for f in made.iterdir()}
    path = models.fetch(MODEL.name, "en")
    assert path == models_here / MODEL.name
    told = capsys.readouterr().out
    assert "Licence: not named by its authors" in told and "app.py --text-emotion" in told
    assert load(path).scores("My dog died last night.")["sad"] > 0.9
    asked = len(hub.asked)
    models.fetch(MODEL.repo, "en")  # it is here
    assert len(hub.asked) == asked
    capsys.readouterr()
    models.run(None, None, "en")
    listed = capsys.readouterr().out
    assert f"\n  {MODEL.name}  (on this machine)" in listed and "damaged" not in listed
    assert "tells the emotion of English words" in listed
    models.run("remove", MODEL.name, "en")
    assert not [path for path in models_here.iterdir() if path.name[0] != "."]


def test_one_that_was_downloaded_is_taken_in(made, models_here, tmp_path, capsys):
    own = shutil.copytree(made, tmp_path / "own")
    (own / "training_args.bin").write_bytes(b"x")
    models.run("add", str(own), "en")
    assert capsys.readouterr().out == f"Ready: {models_here}/own\n"
    assert {f.name for f in (models_here / "own").iterdir()} == {f.name for f in made.iterdir()}
    assert [each.path.name for each in find_text_emotions()] == ["own"]
    with pytest.raises(ModelError, match="models remove own"):
        add(own)
    (own / "pytorch_model.bin").write_bytes((own / "pytorch_model.bin").read_bytes()[:-99])
    with pytest.raises(ModelError, match="damaged"):
        add(own.rename(tmp_path / "cut"))
    assert len(list(models_here.glob("[!.]*"))) == 1


@pytest.mark.parametrize(
    "name",
    [
        ".hidden",
        "-x",
        "a.part",
        "a.nemo",
        "a.argosmodel",
        "en-fr",
        "two\nlines",
        "base.en",
        "b\x1b",
    ],
)
def test_a_name_that_is_not_found_or_means_another_is_refused(made, models_here, tmp_path, name):
    own = shutil.copytree(made, tmp_path / name)
    with pytest.raises(ModelError, match="rename the folder"):
        add(own)
    assert not models_here.exists()


def test_weights_that_do_not_fit_are_not_added_and_stand_in_no_others_way(
    here, models_here, made, tmp_path
):
    unfit = shutil.copytree(made, tmp_path / "unfit")
    changed(unfit, num_hidden_layers=2)
    with pytest.raises(ModelError, match="does not fit"):
        models.run("add", str(unfit), "en")
    for name in ("a", "b"):  # put there by hand
        shutil.copytree(unfit, models_here / name)
    (models_here / "a/vocab.json").write_text("[]")
    desk, missing = opened()
    assert not missing and [p.path.name for p in find_text_emotions()][-1] == MODEL.name
    assert desk.read("My dog died last night.").result()["label"] == "sad"
    desk.close()


def test_a_folder_that_cannot_be_looked_into_hides_no_other(here, models_here):
    (models_here / "a").symlink_to("x" * 300)  # nobody can follow it, not even root
    assert [each.path for each in find_text_emotions()] == [here]
    assert find_translations() == find_models() == find_whisper() == []


@pytest.mark.parametrize("name", ["x" * 300, "~nosuch/x", "folder"])
def test_a_path_that_nothing_can_be_read_of_is_refused_in_plain_words(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for file in ("config.json", "metadata.json"):
        (tmp_path / "folder" / file).symlink_to("x" * 300)
    for look in (lambda: models.run("add", name, "en"), lambda: whisper_here(f"./{name}")):
        with pytest.raises(ModelError, match=name[:9]):
            look()
    assert not is_whisper(name) or name == "folder"
    check_files("auto", f"{name}.nemo", "en")
    with pytest.raises(ModelError, match="no such file"):
        on_this_machine(f"{name}.nemo")


def test_it_is_no_recogniser(here):
    with pytest.raises(ConfigError, match="--text-emotion"):
        check_files("auto", MODEL.name, "en")


def opened(desk=None, **settings):
    missing: list = []
    desk = loading._open_text_emotion(Settings(text_emotion=True, **settings), desk, missing)
    return desk, [str(message) for message in missing]


def test_without_a_model_it_is_told_what_to_do(models_here, made):
    assert loading._open_text_emotion(Settings(), None, []) is None
    desk, (told,) = opened()
    assert desk is None and f"models get {MODEL.name}" in told
    folder = shutil.copytree(made, models_here / MODEL.name)
    desk, (told,) = opened(language="de")
    assert desk is None and "models get de-en" in told
    (folder / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    desk, (told,) = opened()
    assert desk is None and told.startswith("What words say is not told: ")


def test_other_languages_are_read_by_english(here, models_here):
    make_opus(
        models_here / "de-en", {"Der Hund ist tot.": "My dog died last night.", "Ja.": "word"}
    )
    desk, missing = opened(language="de")
    assert not missing
    assert desk.read("Der Hund ist tot.").result()["label"] == "sad"
    desk.close()
    assert desk.read("Ja.").cancelled()  # and nobody is told of a mistake


def test_a_model_that_translates_lines_already_is_not_loaded_again(here, models_here, monkeypatch):
    make_opus(models_here / "de-en", {"Der Hund ist tot.": "My dog died last night."})
    translating = loading._open_translation(Settings(language="de", translate="en"), [])
    for part in ("Translator", "check_usable"):
        monkeypatch.setattr(f"utils.text_emotion.desk.{part}", lambda _: pytest.fail("again"))
    desk, missing = opened(translating, language="de")
    assert not missing
    assert desk.read("Der Hund ist tot.").result()["label"] == "sad"
    assert translating.read("Der Hund ist tot.").result() == {"en": "My dog died last night."}
    desk.close()
    translating.close()


def test_memory_for_several_recordings_counts_what_reads_their_words(here, models_here):
    make_opus(models_here / "de-en", {"Ja.": "word"})
    texts, (way,) = look_into(here).needed_bytes, find_translations()
    for asked, n_bytes in (
        ({}, 0),
        ({"translate": "en"}, way.needed_bytes),
        ({"text_emotion": True}, texts + way.needed_bytes),
        ({"translate": "en,fr", "text_emotion": True}, texts + way.needed_bytes),
    ):
        assert _of_words(Settings(language="de", **asked)) == n_bytes
        assert ("text_emotion" in _how(Settings(**asked))) is ("text_emotion" in asked)


def test_a_finished_line_comes_again_with_what_its_words_say(here, line):
    tag = TextEmotionTag(TextEmotionDesk([look_into(here)]))
    captioner = Captioner(OneWord(), [tag])
    free = threading.Event()
    tag._desk._behind.thread.submit(free.wait)
    final = heard(captioner, line)[-1]
    assert final.final and not final.tags and captioner.tags.to_come == {"text_emotion"}
    free.set()
    said = tag.of("word").result()  # there is one thread: what came before is done
    assert said["label"] == "sad" and said["confidence"] == said["scores"]["sad"] > 0.8
    (again,) = captioner.tags.late()
    assert again == final.tagged("text_emotion", said)
    json.dumps(again.to_dict())
    captioner.close()


def test_a_model_that_cannot_be_loaded_costs_no_captions(here, line):
    changed(here, num_hidden_layers=2)  # which is found out once the network is built
    captioner = Captioner(OneWord(), [TextEmotionTag(TextEmotionDesk([look_into(here)]))])
    missing: list = []
    captioner.tags.missing = lambda code, reason: missing.append((code, reason))
    captioner.live = False  # a recording waits for it
    assert heard(captioner, line)[-1].text == "word"
    ((code, reason),) = missing
    assert code == "text_emotion.missing" and "does not fit" in reason
    captioner.close()


def test_pages_are_told_once_there_is_what_reads_words(room, told, monkeypatch):
    assert room.state(presenter=False)["text_emotion"] is False
    told.clear()
    monkeypatch.setattr(Session, "has_text_emotion", True)
    wait(lambda: "room" in told)
    assert room.state(presenter=False)["text_emotion"] is True
    room.set_emotion(False)
    assert room.state(presenter=False)["text_emotion"] is False


def test_what_words_say_goes_with_them_and_with_feelings(room, board, here):
    tag = TextEmotionTag(TextEmotionDesk([look_into(here)]))
    room.corrections._session.of_words = lambda words: {tag.name: tag.of(words)}
    room.set_saving(True)
    board.show(finished(0).tagged("text_emotion", SAD), board.cuts)
    room.corrections.correct(0, "I am so happy for you!", "")
    tag.of("word").result()
    assert lines(board)[0].tags["text_emotion"]["label"] == "happy"
    room.corrections.restore(0)
    assert lines(board)[0].tags["text_emotion"] == SAD
    room.set_saving(False)
    (path,) = room.history._folder.glob("*.jsonl")
    assert read_saved(path)[0] == lines(board)
    board.set_emotion(False)
    room.corrections.correct(0, "How dare you lie to me!", "")
    tag.of("word").result()
    board.show(finished(1).tagged("text_emotion", SAD), board.cuts)
    assert not any("text_emotion" in each.tags for each in lines(board))
    tag.close()


def test_exports_do_not_take_it_for_how_it_was_said():
    event = finished(0).tagged("text_emotion", SAD)
    assert "[sad] [words: sad] words" in "".join(to_txt([event]))
    assert "[words: sad]" in "".join(to_docx([event]))
    assert "words: sad" not in "".join(to_srt([event]))  # two rows are what a cue has
    neutral = event.tagged("text_emotion", SAD | {"label": "neutral"})
    assert "words:" not in "".join(to_txt([neutral]))
