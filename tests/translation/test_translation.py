"""Lines in other languages: from the file of a stranger to the tag of a finished line."""

import shutil
import threading
import zipfile
from pathlib import Path

import pytest

from tests.captions.test_tags import heard, line  # noqa: F401  # a fixture
from tests.made_tags import OneWord
from utils.captions.pipeline import Captioner
from utils.command_line import models
from utils.errors import AppError, ModelError
from utils.models.fetch import Fetch
from utils.models.translation import files
from utils.models.translation.files import find_translations, route
from utils.models.translation.package import check_whole, look_into
from utils.tags.translation import TranslationTag
from utils.translation import behind
from utils.translation.desk import Desk
from utils.translation.translator import load


def test_each_sentence_is_translated_by_either_kind_of_model(made):
    assert load(made / "en-fr").translate("Good morning. Thank you.") == "Bonjour. Merci."
    assert load(made / "de_en.argosmodel").translate("Vielen Dank.  ") == "Thank you."
    assert load(made / "en-fr").translate("  ") == ""


def test_a_network_that_cannot_be_run_is_told_as_a_models_fault(made):
    with pytest.raises(ModelError, match="en-fr translates no more .*; get it again"):
        load(made / "en-fr").translate("Good " * 40)  # it has 32 places


def test_languages_that_no_model_joins_are_joined_by_english(here):
    found = find_translations()
    assert {(p.source, p.target) for p in found} == {("en", "fr"), ("de", "en")}
    assert [p.target for p in route("en", "fr", found)] == ["fr"]
    assert [p.target for p in route("de", "fr", found)] == ["en", "fr"]
    assert route("fr", "de", found) == route("en", "en", found) == ()
    desk = Desk({"fr": route("de", "fr", found), "en": route("de", "en", found)})
    assert desk.languages == ("fr", "en")
    said = desk.read("Guten Morgen.").result()
    assert said == {"fr": "Bonjour.", "en": "Good morning."}
    desk.close()
    assert desk.read("Guten Morgen.").cancelled()  # and nobody is told of a mistake


def rewritten(package: Path, to: Path, **changes: bytes | None) -> Path:
    """A package with other files; None leaves one out."""
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            data = changes.get(Path(name).stem.replace("sentencepiece", "pieces"), old.read(name))
            if data is not None:
                new.writestr(name, data)
    return to


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"metadata": b"{}"}, "names no two languages"),
        ({"metadata": b'{"from_code": "../x", "to_code": "en"}'}, "names no two languages"),
        ({"metadata": b"[" * 1000}, "not what it should be"),
        ({"pieces": None}, "only sentencepiece.model is read"),
        ({"pieces": b"nothing"}, "cannot be loaded"),
        ({"model": None}, "has no model/model.bin"),
        ({"model": b"PK"}, "cut short"),
        ({"shared_vocabulary": None}, "has no shared_vocabulary.json"),
        ({"shared_vocabulary": b'["</s>", "<unk>"]'}, "cannot be"),
    ],
)
def test_a_damaged_package_is_refused_in_plain_words(made, tmp_path, changes, told):
    bad = rewritten(made / "de_en.argosmodel", tmp_path / "bad.argosmodel", **changes)
    with pytest.raises(ModelError, match=told) as refused:
        load(bad)
    assert str(bad) in str(refused.value)


@pytest.mark.parametrize(
    ("packing", "place", "byte", "told"),
    [
        # of the end: the version needed, then a name that is no UTF-8 but is said to be
        (zipfile.ZIP_STORED, (b"PK\1\2", 6), 255, "no whole zip"),
        (zipfile.ZIP_STORED, (b"PK\1\2", 46), 255, "no whole zip"),
        (zipfile.ZIP_DEFLATED, (b"PK\3\4", 30 + len("metadata.json")), 255, "cannot be read"),
        (zipfile.ZIP_LZMA, (b"PK\3\4", 0), ord("P"), "packed in a way"),
    ],
)
def test_a_zip_with_a_byte_that_changed_is_refused(tmp_path, packing, place, byte, told):
    bad = tmp_path / "bad.argosmodel"
    with zipfile.ZipFile(bad, "w", packing) as package:
        package.writestr("metadata.json", b'{"from_code": "de", "to_code": "en"}')
    data, (mark, after) = bytearray(bad.read_bytes()), place
    data[data.index(mark) + after] = byte
    data[data.index(b"PK\1\2") + 9] |= 8  # names are UTF-8
    bad.write_bytes(data)
    with pytest.raises(ModelError, match=told):
        check_whole(bad)


def test_what_is_no_model_that_translates_is_refused(made, tmp_path, whisper):
    (tmp_path / "x.argosmodel").write_bytes(b"no zip")
    odd = shutil.copytree(made / "en-fr", tmp_path / "something")
    cut = shutil.copytree(made / "en-fr", tmp_path / "en-de")
    weights = (cut / "model.bin").read_bytes()
    (cut / "model.bin").write_bytes(weights[:-2000])
    for path, told in (
        (tmp_path / "none", "no such file"),
        (tmp_path / "x.argosmodel", "no whole zip"),
        (whisper, "translates nothing"),
        (odd, "FROM-TO"),
        (cut, "cut short"),
    ):
        with pytest.raises(ModelError, match=told):
            check_whole(path)
    shutil.copy(whisper / "model.bin", cut)
    with pytest.raises(ModelError, match="no network that translates.*WhisperSpec"):
        check_whole(cut)


def test_a_downloaded_package_is_taken_in_listed_and_deleted(made, models_here, capsys):
    file = str(made / "de_en.argosmodel")
    models.run("add", file, "en")
    assert capsys.readouterr().out == f"Ready: {models_here}/de-en\n"
    assert load(models_here / "de-en").translate("Guten Morgen.") == "Good morning."
    with pytest.raises(ModelError, match="models remove de-en"):
        models.run("add", file, "en")
    models.run(None, None, "en")
    listed = capsys.readouterr().out
    assert "  de-en  0 MB; translates de to en" in listed and "damaged" not in listed
    models.run("remove", "de-en", "en")
    assert not any(models_here.glob("[!.]*"))


def test_one_that_cannot_be_taken_in_leaves_nothing(made, models_here, monkeypatch):
    models_here.parent.mkdir(parents=True)
    models_here.write_text("in the way")
    with pytest.raises(AppError, match="cannot be written|in the way|Not a directory"):
        files.add(made / "de_en.argosmodel")
    models_here.unlink()
    cut = models_here.with_name("en-xx.argosmodel")
    cut.write_bytes((made / "de_en.argosmodel").read_bytes()[:-3000])
    with pytest.raises(ModelError):
        files.add(cut)
    assert not models_here.exists()


def test_a_pair_is_fetched_from_the_hub_by_its_name(made, hub, models_here, capsys):
    repo = "gaudi/opus-mt-en-fr-ctranslate2"
    hub.files |= {f"{repo}/{f.name}": f.read_bytes() for f in (made / "en-fr").iterdir()}
    path = models.fetch("en-fr", "en")
    assert path == models_here / "en-fr" and look_into(path).target == "fr"
    assert load(path).translate("Good morning.") == "Bonjour."
    told = capsys.readouterr().out
    assert "Licence: Apache 2.0" in told and "--language en --translate fr" in told
    asked = len(hub.asked)
    models.fetch(repo, "en")  # it is here
    assert len(hub.asked) == asked


def test_a_pair_that_the_hub_lacks_is_told_with_what_to_do(hub):
    with pytest.raises(ModelError, match="by English.*models add"):
        Fetch("ko-fr", lambda done, total: None, ()).run()
    hub.status = 401  # as Hugging Face answers where there is no such repository
    with pytest.raises(ModelError, match="by English.*models add"):
        Fetch("ko-fr", lambda done, total: None, ()).run()
    hub.status, hub.gated = 0, True
    with pytest.raises(ModelError, match="needs a Hugging Face account"):
        Fetch("ko-fr", lambda done, total: None, ()).run()


def test_a_finished_line_comes_again_with_its_translation(here, line):
    tag = TranslationTag(Desk({"fr": route("en", "fr", find_translations())}))
    captioner = Captioner(OneWord(), [tag])
    free = threading.Event()
    tag._desk._behind.thread.submit(free.wait)
    final = heard(captioner, line)[-1]
    assert final.final and not final.tags and captioner.tags.to_come == {"translation"}
    free.set()
    tag.of("the last").result()  # there is one thread: what came before is done
    (again,) = captioner.tags.late()
    assert again == final.tagged("translation", {"fr": "mot"})
    captioner.live = False  # a recording waits for it
    assert heard(captioner, line, 2 * len(line))[-1].tags == again.tags
    captioner.close()


def test_where_too_many_lines_wait_the_oldest_goes_without(here, monkeypatch):
    monkeypatch.setattr(behind, "MOST_WAITING", 2)
    desk = Desk({"fr": route("en", "fr", find_translations())})
    free = threading.Event()
    desk._behind.thread.submit(free.wait)
    later = [desk.read("word") for _ in range(3)]
    assert [one.cancelled() for one in later] == [True, False, False]
    free.set()
    assert later[-1].result() == {"fr": "mot"}
    desk.close()
