"""NeMo models made here, small and with random weights, loaded by the real code."""

import io
import json
import socket
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.feeding import Fed
from tests.nemo_models import LABELS, build, save
from utils.asr.nemo.transcriber import NemoTranscriber
from utils.asr.nemo.worker import Worker
from utils.audio import SAMPLE_RATE, load
from utils.errors import ModelError
from utils.faults import out_of_memory
from utils.models.nemo.archive import languages
from utils.models.nemo.files import find_models, locate

pytestmark = pytest.mark.nemo

KINDS = ["ctc", "ctc_bpe", "rnnt", "tdt", "hybrid"]


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("nemo")


@pytest.fixture(scope="session", params=KINDS)
def model_file(request, models_folder: Path) -> Path:
    return save(request.param, models_folder)


@pytest.fixture(scope="session")
def ctc_file(models_folder: Path) -> Path:
    path = models_folder / "stt_en_ctc.nemo"
    return path if path.exists() else save("ctc", models_folder)


@pytest.fixture
def speechlike() -> np.ndarray:
    """3 s of noise that swells and fades, so that a random model has much to say."""
    rng = np.random.default_rng(5)
    t = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    wave = rng.standard_normal(len(t)) * 0.1 * (1 + np.sin(2 * np.pi * 3 * t))
    return wave.astype(np.float32)


def _offline_text(path: Path, samples: np.ndarray) -> str:
    """What NeMo's own transcribe() makes of `samples`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nemo.collections.asr.models import ASRModel

        model = ASRModel.restore_from(str(path), map_location="cpu").eval()
        found = model.transcribe([samples], batch_size=1, verbose=False)
    return getattr(found[0], "text", found[0]).strip()


@pytest.mark.parametrize("seconds", [3.0, 0.4])
def test_text_and_times_of_a_whole_segment(model_file, speechlike, seconds):
    samples = speechlike[: int(seconds * SAMPLE_RATE)]
    transcriber = NemoTranscriber(str(model_file))
    stream = Fed(transcriber.stream())
    for start in range(0, len(samples), 1000):
        assert stream.accept(samples[start : start + 1000]) == ""
    heard = stream.finish(len(samples))
    transcriber.close()
    assert heard.text == _offline_text(model_file, samples)
    assert transcriber.name == f"NeMo {model_file.stem}"
    if heard.text:
        assert " ".join(word.text for word in heard.words) == heard.text
    for word in heard.words:
        assert 0 <= word.start_s <= word.end_s <= seconds
    json.dumps([(word.start_s, word.end_s) for word in heard.words])


def test_a_segment_ends_where_finish_says(ctc_file, speechlike):
    transcriber = NemoTranscriber(str(ctc_file))
    shorter = Fed(transcriber.stream())
    shorter.accept(speechlike[:32_000])
    expected = shorter.finish(32_000)
    longer = Fed(transcriber.stream())
    longer.accept(speechlike[:32_000])
    longer.work_ahead()
    longer.accept(speechlike[32_000:])
    assert longer.finish(32_000) == expected  # what was begun in the pause
    again = Fed(transcriber.stream())
    again.accept(speechlike[:20_000])
    again.work_ahead()
    again.accept(speechlike[20_000:])
    again.work_ahead()
    assert again.finish(32_000) == expected  # neither guess was right
    empty = Fed(transcriber.stream())
    empty.work_ahead()
    assert empty.finish(0).text == ""
    transcriber.close()


def test_the_caller_may_reuse_its_buffer(ctc_file, speechlike):
    transcriber = NemoTranscriber(str(ctc_file))
    texts = []
    for spoil in (False, True):
        stream, buffer = Fed(transcriber.stream()), speechlike.copy()
        stream.accept(buffer)
        if spoil:
            buffer[:] = 0
        texts.append(stream.finish(len(buffer)).text)
    transcriber.close()
    assert texts[0] == texts[1] != ""


@pytest.fixture(scope="session")
def taught_file(tmp_path_factory, digits) -> Path:
    """A CTC model that has learnt one recording by heart."""
    folder = tmp_path_factory.mktemp("taught")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from omegaconf import OmegaConf

        torch.manual_seed(1)
        n_threads = torch.get_num_threads()
        torch.set_num_threads(1)  # more would only wait for each other
        model_class, config = build("ctc", folder)
        config["encoder"] |= {"subsampling_factor": 4, "n_layers": 1}
        model = model_class(cfg=OmegaConf.create(config))
        model.eval()  # no dither, no dropout; it learns all the same
        samples = digits
        text = " ".join(SPOKEN)
        signal, length = torch.from_numpy(samples)[None], torch.tensor([len(samples)])
        target = torch.tensor([[LABELS.index(letter) for letter in text]])
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        for _ in range(300):
            log_probs, frames, _ = model(input_signal=signal, input_signal_length=length)
            loss = torch.nn.functional.ctc_loss(
                log_probs.transpose(0, 1),
                target,
                frames,
                torch.tensor([len(text)]),
                blank=len(LABELS),
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if loss < 0.02:
                break
        torch.set_num_threads(n_threads)
        path = folder / "stt_en_taught.nemo"
        model.save_to(str(path))
    return path


SPOKEN = ["zero", "one", "two", "three"]


@pytest.fixture(scope="session")
def digits() -> np.ndarray:
    """`SPOKEN`, one after the other, each with a pause after it."""
    folder = Path(__file__).parents[3] / "shared/speech/spoken-digits"
    if not folder.is_dir():
        pytest.skip("shared speech is not here")
    pause = np.zeros(SAMPLE_RATE // 10, np.float32)
    return np.concatenate([np.r_[load(folder / f"{n}_george_0.ogg"), pause] for n in range(4)])


def test_right_words_at_the_right_times(taught_file, digits):
    transcriber = NemoTranscriber(str(taught_file))
    stream = Fed(transcriber.stream())
    stream.accept(digits)
    heard = stream.finish(len(digits))
    transcriber.close()
    assert heard.text == " ".join(SPOKEN)
    assert [word.text for word in heard.words] == SPOKEN
    starts = [word.start_s for word in heard.words]
    assert starts == sorted(set(starts))


def _edited(path: Path, to: Path, old: str, new: str) -> Path:
    """A copy of a .nemo file with its configuration changed."""
    with tarfile.open(path) as source, tarfile.open(to, "w") as target:
        for member in source:
            part = source.extractfile(member)  # None of a folder
            data = part.read() if part else b""
            if member.name.endswith("model_config.yaml"):
                assert old.encode() in data
                data = data.replace(old.encode(), new.encode())
                member.size = len(data)
            target.addfile(member, io.BytesIO(data))
    return to


def _damage(what: str, good: Path, folder: Path) -> Path:
    path = folder / "model.nemo"
    if what == "garbage":
        path.write_bytes(b"<html>not found</html>" * 100)
    elif what == "empty":
        path.touch()
    elif what == "cut short":
        path.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    elif what == "speaker model":
        _edited(good, path, "EncDecCTCModel", "EncDecSpeakerLabelModel")
    elif what == "foreign class":
        _edited(good, path, "nemo.collections.asr.models", "my.package")
    elif what == "newer class":
        _edited(good, path, "EncDecCTCModel", "EncDecCTCModelOfTomorrow")
    elif what == "newer NeMo":
        newer = _edited(good, folder / "newer", "nemo_version: 3.0.0", "nemo_version: 9.1.0")
        _edited(newer, path, "n_layers: 2", "n_layers: 2\n  option_of_tomorrow: 1")
    elif what == "newer option":
        _edited(good, path, "n_layers: 2", "n_layers: 2\n  option_of_tomorrow: 1")
    elif what == "other weights":
        _edited(good, path, "n_layers: 2", "n_layers: 3")
    return path


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("missing", "no such file"),
        ("garbage", "not a readable .nemo file"),
        ("empty", "not a readable .nemo file"),
        ("cut short", "download it again"),
        ("speaker model", "choose a model for speech recognition"),
        ("foreign class", "choose a model for speech recognition"),
        ("newer class", "it knows no class"),
        ("newer NeMo", "made by NeMo 9.1.0, which is newer; update yours"),
        ("newer option", "option_of_tomorrow"),
        ("other weights", "cannot load this EncDecCTCModel"),
    ],
)
def test_a_bad_file_is_named(what, message, ctc_file, tmp_path):
    path = _damage(what, ctc_file, tmp_path)
    with pytest.raises(ModelError) as caught:
        NemoTranscriber(str(path))
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_model_for_telephones_is_refused(tmp_path):
    path = save("ctc", tmp_path, sample_rate=8000)
    with pytest.raises(ModelError, match="8000 Hz, expected 16000 Hz"):
        NemoTranscriber(str(path))


def test_missing_nemo_says_how_to_install_it(ctc_file, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "nemo.collections.asr", None)
    with pytest.raises(ModelError, match="pip install"):
        NemoTranscriber(str(ctc_file))


def test_the_worker_goes_on_after_a_call_that_failed():
    worker = Worker()
    failing = worker.submit(lambda items: [1 / item for item in items], 0)
    with pytest.raises(ZeroDivisionError):
        failing.result(30)
    assert worker.submit(lambda items: items, 7).result(30) == 7
    worker.close()


def test_running_out_of_memory_is_recognised():
    import torch

    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)
    assert out_of_memory(caught.value)
    assert not out_of_memory(RuntimeError("size mismatch"))


@pytest.fixture
def caches(tmp_path, monkeypatch) -> Path:
    """Empty cache folders of NeMo, Hugging Face and the program; no network."""
    for name in ("HF_HUB_CACHE", "NEMO_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))

    def refuse(*_: object) -> None:
        raise OSError("the test allows no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tmp_path


def _put(file: Path, folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    path = folder / f"{name}.nemo"
    path.write_bytes(file.read_bytes())
    return path


def test_models_are_found_in_every_cache(caches, ctc_file):
    assert find_models() == []
    own = _put(ctc_file, caches / "xdg/recognition_helpers/models", "mine")
    _damage("garbage", ctc_file, own.parent)
    _edited(ctc_file, own.with_name("speaker.nemo"), "EncDecCTC", "EncDecSpeakerLabel")
    nemo = _put(ctc_file, caches / "home/.cache/torch/NeMo/NeMo_3.0.0/stt_en_a/5f", "stt_en_a")
    hub = _put(ctc_file, caches / "hf/hub/models--org--b/snapshots/c0ffee", "b")
    assert find_models() == [own, nemo, hub]


def test_a_cached_name_needs_no_network(caches, ctc_file):
    folder = caches / "hf/hub/models--nvidia--stt_en_small/snapshots/c0ffee"
    path = _put(ctc_file, folder, "stt_en_small")
    assert locate("stt_en_small") == locate("nvidia/stt_en_small") == path
    transcriber = NemoTranscriber("stt_en_small")
    assert transcriber.name == "NeMo stt_en_small"
    transcriber.close()
    with pytest.raises(ModelError, match="other/stt_en_small is not on this machine"):
        locate("other/stt_en_small")


@pytest.mark.parametrize("offline", ["1", "0"])
def test_a_name_that_is_not_here_fails_with_advice(caches, monkeypatch, offline):
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    with pytest.raises(ModelError, match="is not on this machine") as caught:
        NemoTranscriber("stt_xx_unheard_of")
    assert "--model FILE.nemo" in str(caught.value)


@pytest.mark.parametrize("model", ["a/b/c", "not a name"])
def test_what_is_neither_path_nor_name(caches, model):
    with pytest.raises(ModelError, match="neither a .nemo file nor"):
        NemoTranscriber(model)


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("stt_en_quartznet", "", "", {"en"}),
        ("stt_de_quartznet", "", "", {"de"}),
        ("parakeet-tdt-0.6b-v2", "", "", {"en"}),
        ("conformer-ko", "", "", {"ko"}),
        ("mine", "", "", set()),
        ("mine", "- z\n", "- z\n  - 한\n", {"ko"}),
        ("mine", "sample_rate: 16000\n", "sample_rate: 16000\nx:\n  ko-KR: 3\n", {"ko"}),
    ],
)
def test_languages_from_name_and_configuration(ctc_file, tmp_path, name, old, new, expected):
    path = _edited(ctc_file, tmp_path / f"{name}.nemo", old, new)
    assert languages(path) == expected


def test_a_model_that_must_be_told_the_language(tmp_path, speechlike):
    path = save("prompt", tmp_path)
    transcriber = NemoTranscriber(str(path), "en")
    stream = Fed(transcriber.stream())
    stream.accept(speechlike)
    assert stream.finish(len(speechlike)).text
    transcriber.close()
    with pytest.raises(ModelError, match="no prompt for ko; it knows de-DE, en-US"):
        NemoTranscriber(str(path), "ko")
