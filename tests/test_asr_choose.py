"""Which recogniser is taken, and the sentence that says why."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tests.hub_server import NAME, REPO
from utils.asr.choose import ADVICE, check_choice, open_transcriber
from utils.errors import ConfigError, ModelError


@pytest.fixture
def caches(tmp_path, monkeypatch) -> Path:
    """Empty cache folders, and no network for a model's name."""
    for name in ("HF_HUB_CACHE", "NEMO_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


@pytest.fixture(scope="module")
def small_model(tmp_path_factory) -> bytes:
    """The contents of a `.nemo` file that recognises, with random weights."""
    modules, letters = "nemo.collections.asr.modules.", list(" abcdefghijklmnopqrstuvwxyz")
    encoder = {"_target_": modules + "ConformerEncoder", "feat_in": 40, "n_layers": 1}
    decoder = {"_target_": modules + "ConvASRDecoder", "feat_in": 32, "vocabulary": letters}
    config = {
        "sample_rate": 16_000,
        "preprocessor": {
            "_target_": modules + "AudioToMelSpectrogramPreprocessor",
            "sample_rate": 16_000,
            "features": 40,
            "window_stride": 0.01,
        },
        "encoder": encoder | {"d_model": 32, "n_heads": 4, "subsampling_conv_channels": 16},
        "decoder": decoder | {"num_classes": len(letters)},
    }
    path = tmp_path_factory.mktemp("choose") / "model.nemo"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nemo.collections.asr.models import EncDecCTCModel
        from omegaconf import OmegaConf

        EncDecCTCModel(cfg=OmegaConf.create(config)).save_to(str(path))
    return path.read_bytes()


def _own(caches: Path, name: str, data: bytes) -> Path:
    folder = caches / "xdg/recognition_helpers/models"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.nemo"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("asr", "model", "language", "message"),
    [
        ("siri", None, "en", "choose auto, nemo, sphinx or sr:NAME"),
        ("sr:", None, "en", "choose auto, nemo, sphinx or sr:NAME"),
        ("sphinx", None, "ko", "English only"),
        ("nemo", None, "xx", "knows no model for xx"),
        ("sphinx", "a.nemo", "en", "is for NeMo"),
        ("sr:google", "a.nemo", "en", "is for NeMo"),
        ("nemo", " ", "en", "--model is empty"),
    ],
)
def test_settings_that_cannot_work(asr, model, language, message):
    with pytest.raises(ConfigError, match=message):
        check_choice(asr, model, language)
    with pytest.raises(ConfigError, match=message):
        open_transcriber(asr, model, language)


def test_settings_that_can_work_import_no_engine():
    code = (
        "import sys; from utils.asr.choose import check_choice\n"
        "for asr in ('auto', 'nemo', 'sphinx', 'sr:google'): check_choice(asr, None, 'en')\n"
        "check_choice('auto', 'x.nemo', 'ko'); check_choice('sphinx', None, 'en-GB')\n"
        "print(*{'torch', 'nemo', 'speech_recognition', 'pocketsphinx'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.stdout.strip() == ""


def _open_and_close(asr: str, model: str | None, language: str = "en") -> tuple[str, str]:
    transcriber, sentence = open_transcriber(asr, model, language)
    transcriber.close()
    return transcriber.name, sentence


def test_auto_without_a_model_takes_pocketsphinx(caches):
    name, sentence = _open_and_close("auto", None)
    assert name.startswith("PocketSphinx")
    assert sentence == f"{name}, because no NeMo model is on this machine"
    assert ADVICE["command"] == ".venv/bin/python app.py models get"


def test_auto_in_korean_without_a_model_says_what_is_missing(caches):
    with pytest.raises(ModelError, match="no NeMo model for ko is on this machine"):
        open_transcriber("auto", None, "ko")


@pytest.mark.nemo
def test_auto_takes_the_model_that_fits_the_language(caches, small_model):
    _own(caches, "a_stt", small_model)  # tells no language: only if nothing else fits
    _own(caches, "stt_de_small", small_model)
    _own(caches, "stt_en_small", small_model)
    _own(caches, "stt_ko_small", small_model)
    name, sentence = _open_and_close("auto", None, "en-US")
    assert (name, sentence) == (
        "NeMo stt_en_small",
        "NeMo stt_en_small, because it is on this machine",
    )
    assert _open_and_close("auto", None, "ko")[0] == "NeMo stt_ko_small"
    assert _open_and_close("auto", None, "fr")[0] == "NeMo a_stt"


@pytest.mark.nemo
def test_auto_passes_over_a_model_of_another_language(caches, small_model):
    _own(caches, "stt_de_small", small_model)
    name, sentence = _open_and_close("auto", None)
    assert sentence == f"{name}, because no NeMo model for en is on this machine"


@pytest.mark.nemo
def test_auto_falls_back_when_the_model_does_not_load(caches, small_model):
    path = _own(caches, "stt_en_small", small_model[: len(small_model) // 2])
    name, sentence = _open_and_close("auto", None)
    assert name.startswith("PocketSphinx")
    assert f"because the NeMo model on this machine did not load: {path}" in sentence


@pytest.mark.nemo
def test_a_model_named_is_the_model_taken(caches, small_model):
    path = _own(caches, "stt_en_small", small_model)
    for asr in ("auto", "nemo"):
        name, sentence = _open_and_close(asr, str(path))
        assert sentence == f"{name}, as asked with --model {path}"
    with pytest.raises(ModelError, match="no such file"):
        open_transcriber("auto", str(path) + ".nemo", "en")


def test_nemo_asked_for_is_not_replaced(caches):
    with pytest.raises(ModelError, match="stt_en_fastconformer_hybrid_large_streaming_multi"):
        open_transcriber("nemo", None, "en")


def test_a_service_is_refused_offline(caches):
    with pytest.raises(ModelError, match="which --offline forbids"):
        open_transcriber("sr:google", None, "en")


def test_a_service_is_announced(caches, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    name, sentence = _open_and_close("sr:google", None)
    assert sentence == f"{name}, as asked with --asr sr:google; audio leaves this machine"


@pytest.mark.nemo
def test_a_model_of_another_language_is_refused(caches, small_model):
    path = _own(caches, "stt_de_small", small_model)
    with pytest.raises(ModelError, match="stt_de_small knows de, not en; choose another"):
        open_transcriber("auto", str(path), "en")
    with pytest.raises(ModelError, match="models get stt_kr_conformer_transducer_large"):
        open_transcriber("nemo", str(path), "ko")


@pytest.mark.nemo
def test_a_language_that_nothing_here_speaks_is_fetched_and_waited_for(
    hub, models_here, small_model
):
    name, told = "stt_kr_conformer_transducer_large", []
    hub.files[f"eesungkim/{name}/{name}.nemo"] = small_model
    transcriber, sentence = open_transcriber("auto", None, "ko", on_fetch=lambda *it: told.append(it))
    transcriber.close()
    assert sentence == f"NeMo {name}, because it is recommended for ko"
    assert told[-1] == (name, len(small_model), len(small_model))
    assert (models_here / f"{name}.nemo").exists()


@pytest.mark.nemo
def test_a_model_asked_for_is_fetched_with_its_progress(hub, models_here, small_model):
    hub.files[f"{REPO}/{NAME}.nemo"] = small_model
    told = []
    transcriber, _ = open_transcriber("nemo", None, "en", on_fetch=lambda *it: told.append(it))
    transcriber.close()
    assert transcriber.name == f"NeMo {NAME}"
    assert told[-1] == (NAME, len(small_model), len(small_model))
