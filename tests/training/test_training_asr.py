"""Training and adapting recognisers: small models made here, and the one that ships."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from scipy.signal import butter, sosfilt

from tests import nemo_models
from training.__main__ import main
from training.asr import digits, files, manifest, spelling, synthetic
from training.asr.commands import WEIGHTS, unheard
from training.asr.compose import Composer, load_sounds
from training.asr.digits import WORDS
from training.asr.finetune import Drawn, of_like_length, split
from training.asr.fit import FitConfig, fit
from training.asr.manifest import Line
from training.asr.steps import collate, timing, wer, word_errors
from training.sound.augmentation import other_voice
from utils.audio import SAMPLE_RATE
from utils.errors import DataError
from utils.models.nemo.archive import read_config

CARD = WEIGHTS.parent / "README.md"
TEXTS = ("the cat sat", "one two", "zero nine", "five six seven")


@pytest.fixture
def recordings(tmp_path):
    """A manifest of 24 noises, by six voices, that stand for speech."""
    rng = np.random.default_rng(0)
    with open(tmp_path / "own.json", "w") as file:
        for k in range(24):
            noise = rng.normal(0, 0.1, SAMPLE_RATE + 400 * k).astype(np.float32)
            soundfile.write(tmp_path / f"{k}.wav", noise, SAMPLE_RATE)
            entry = {
                "audio_filepath": f"{k}.wav",
                "duration": len(noise) / SAMPLE_RATE,
                "text": TEXTS[k % 4],
                "speaker": f"voice{k // 4}",
            }
            file.write(json.dumps(entry) + "\n")
    return tmp_path / "own.json"


def read(path):
    return manifest.read(path, lambda n: None)


# Digits


def test_the_held_out_voice_trains_and_chooses_nothing(shared):
    parts = digits.split(digits.read(shared / "speech" / "spoken-digits"))
    assert {d.speaker for d in parts.held_out} == {digits.HELD_OUT}
    assert digits.HELD_OUT not in {d.speaker for d in (*parts.train, *parts.stopping)}
    assert not {d.path for d in parts.train} & {d.path for d in parts.stopping}
    assert sum(map(len, (parts.train, parts.stopping, parts.held_out))) == 3000


def test_a_voice_that_is_not_there_cannot_be_held_out(tmp_path):
    (tmp_path / "3_anna_0.wav").touch()
    (tmp_path / "3_berta_0.wav").touch()
    with pytest.raises(DataError, match="hold out 'carl': the recordings are of anna, berta"):
        digits.split(digits.read(tmp_path), "carl")
    with pytest.raises(DataError, match="no such folder"):
        digits.read(tmp_path / "none")


def composer(tmp_path):
    """Ten words of one voice, each a tone of its own length."""
    for k in range(10):
        time_s = np.arange(3000 + 500 * k) / SAMPLE_RATE
        soundfile.write(tmp_path / f"{k}_anna_0.wav", 0.3 * np.sin(2e3 * time_s), SAMPLE_RATE)
    found = digits.read(tmp_path)
    return Composer(load_sounds(found), [np.random.default_rng(0).normal(0, 0.1, 4000)])


def test_words_are_where_an_utterance_says_they_are(tmp_path):
    made = composer(tmp_path)
    for seed in range(40):
        found = made.utterance(np.random.default_rng(seed))
        assert len(found.words) == len(found.spans) <= 8
        assert set(found.words) <= set(WORDS)
        assert found.samples.dtype == np.float32 and np.abs(found.samples).max() <= 1.0
        edges = [edge for span in found.spans for edge in span]
        assert edges == sorted(edges) and all(0 <= e <= len(found.samples) for e in edges)
    clean = made.utterance(np.random.default_rng(3), hardness=0.0)
    power = np.square(clean.samples)
    inside = np.concatenate([power[start:end] for start, end in clean.spans])
    assert inside.sum() > 0.99 * power.sum()


def test_an_utterance_follows_from_its_random_numbers_alone(tmp_path):
    made = composer(tmp_path)
    first, again, other = (made.utterance(np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(first.samples, again.samples) and first.words == again.words
    assert not np.array_equal(first.samples, other.samples)


def test_another_voice_keeps_pace_and_pitch_and_shifts_formants():
    rng = np.random.default_rng(0)
    pulses = np.zeros(SAMPLE_RATE)
    pulses[: SAMPLE_RATE // 2 : 160] = 1.0  # a pitch of 100 Hz, and one formant at 1 kHz
    vowel = sosfilt(butter(1, [900, 1100], "bandpass", fs=SAMPLE_RATE, output="sos"), pulses)
    vowel = (vowel + 1e-5 * rng.standard_normal(SAMPLE_RATE)).astype(np.float32)
    centres = []
    for seed in range(20):
        found = other_voice(vowel, np.random.default_rng(seed))
        assert found.shape == vowel.shape and found.dtype == np.float32
        power = np.square(found)
        assert power[: SAMPLE_RATE // 2].sum() > 0.99 * power.sum()
        assert 0.1 < power.sum() / np.square(vowel).sum() < 10
        lines = np.abs(np.fft.rfft(found)) ** 2  # 1 Hz each
        assert lines[:4000].reshape(-1, 100)[:, [0, 1, 2, -2, -1]].sum() > 0.8 * lines[:4000].sum()
        near = lines[500:1500]
        centres.append((near * np.arange(500, 1500)).sum() / near.sum())
    assert min(centres) < 980 and max(centres) > 1060


@pytest.fixture
def few_voices(monkeypatch):
    if synthetic.missing():
        pytest.skip("espeak-ng is not installed")
    monkeypatch.setattr(synthetic, "VOICES", 2)
    monkeypatch.setattr(synthetic, "N_VOICES", 3)


def test_voices_by_rule_say_each_digit_and_are_made_once(few_voices, tmp_path):
    done = []
    made = synthetic.make(tmp_path, lambda: done.append(1))
    train, stopping = synthetic.split(made)
    assert len(done) == 3 and not set(synthetic.TO_TRAIN) & set(synthetic.TO_CHOOSE)
    assert [d.word for d in train] == [*WORDS, *WORDS] and [d.word for d in stopping] == [*WORDS]
    assert not {d.speaker for d in train} & {d.speaker for d in stopping}
    for samples in load_sounds(made).values():
        assert 0.08 < len(samples) / SAMPLE_RATE < 1.5
    times = [d.path.stat().st_mtime_ns for d in made]
    assert synthetic.make(tmp_path, lambda: None) == made
    assert [d.path.stat().st_mtime_ns for d in made] == times
    composer = Composer({}, [], load_sounds(made))
    assert composer.utterance(np.random.default_rng(1)).words


def test_without_espeak_one_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "sudo apt-get install espeak-ng" in synthetic.missing()


def test_words_told_out_of_place_cost_more():
    import torch

    batch = collate([np.zeros(16_000, np.float32)], ["one"], [((4_000, 7_000),)])
    costs = []
    for told in (5, 11):  # the word ends in frame 5
        logits = torch.zeros(1, 12, 3)
        logits[0, :, 2] = 5.0
        logits[0, told, 1] = 10.0
        costs.append(timing(logits.log_softmax(-1), torch.tensor([[1]]), batch).item())
    assert costs[0] < costs[1]


def test_errors_are_counted_over_all_words():
    truth, found = ["one two three", "four"], ["one too three three", ""]
    assert word_errors(truth, found) == {"words": 4, "sub": 1, "ins": 1, "del": 1}
    assert wer(truth, found) == pytest.approx(0.75)


# Manifests


def test_each_bad_line_is_named_and_the_others_are_used(recordings):
    (recordings.parent / "text.wav").write_text("no sound")
    with open(recordings, "a") as file:
        file.write("{bad\n")
        for entry in (
            {"audio_filepath": "none.wav", "text": "one"},
            {"audio_filepath": "text.wav", "text": "one"},
            {"audio_filepath": "0.wav", "text": "  "},
            {"audio_filepath": "0.wav"},
            {"text": "one"},
            {"audio_filepath": "0.wav", "text": "one", "offset": -1},
            {"audio_filepath": "0.wav", "text": "one", "offset": 0.99, "duration": 0.001},
            [1],
        ):
            file.write(json.dumps(entry) + "\n")
    lines, problems = read(recordings)
    assert len(lines) == 24
    told = (
        "25: not JSON",
        "26: .*no such file",
        "27: .*not a readable",
        "28: has no text",
        "29: has no text",
        "30: names no recording",
        "31: offset -1",
        "32: lasts 0.0 s",
        "33: not a JSON object",
    )
    assert len(problems) == len(told)
    for problem, start in zip(problems, told):
        assert re.search(f"own.json:{start}", problem), problem


def test_csv_and_parts_of_recordings(recordings):
    table = recordings.with_name("own.csv")
    table.write_text('path,speaker_id,text\n0.wav,7,"one, two"\n1.wav,8,three,four\n')
    lines, problems = read(table)
    assert [(line.text, line.speaker) for line in lines] == [("one, two", "7")]
    assert "own.csv:3: has other than 3 columns" in problems[0]
    part = {"audio_filepath": "0.wav", "text": "one", "offset": 0.25, "duration": 0.5}
    recordings.write_text(json.dumps(part))
    [line], _ = read(recordings)
    assert len(line.samples()) == SAMPLE_RATE // 2


@pytest.mark.parametrize(
    "content, told",
    [
        (b"", "it is empty"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"file,words\na,b\n", "its first line is 'file,words'"),
        (b'{"audio_filepath": "x.wav", "text": "a"}\n', "x.wav: no such file"),
    ],
)
def test_a_manifest_without_a_usable_line_is_refused(tmp_path, content, told):
    path = tmp_path / "own.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=told):
        read(path)


def test_voices_are_held_out_whole(recordings):
    lines, _ = read(recordings)
    train, held, speakers = split(lines, seed=0)
    assert len(train) + len(held) == 24 and held
    assert {line.speaker for line in held} == set(speakers)
    assert not {line.speaker for line in train} & set(speakers)
    unknown = [Line(x.place, x.path, x.text, "", 0.0, x.duration_s) for x in lines]
    train, held, speakers = split(unknown, seed=0)
    assert (len(train), len(held), speakers) == (22, 2, ())
    with pytest.raises(DataError, match="only 4 recordings to train on"):
        split(unknown[:5], seed=0)


def test_each_recording_is_drawn_once_an_epoch(recordings):
    lines, _ = read(recordings)
    assert sum(of_like_length(lines), []) == sorted(lines, key=lambda line: line.duration_s)
    drawn = Drawn(lines)
    texts = sum((list(drawn.batch(0, step).texts) for step in range(1, len(drawn) + 1)), [])
    assert sorted(texts) == sorted(line.text for line in lines)


# Models


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return nemo_models.build_streaming("ctc_bpe", tmp_path_factory.mktemp("tokens"))


def line(text):
    return Line("own.json:1", Path("a.wav"), text)


@pytest.mark.nemo
def test_words_that_cannot_be_spelled_are_named(model):
    with pytest.raises(DataError, match=r"cannot spell 2 words of the manifest: Žižek, 42\."):
        spelling.fitted(model.tokenizer, [line("the cat"), line("Žižek sat"), line("42")])
    lines, lowered = spelling.fitted(model.tokenizer, [line("THE CAT"), line("SAT")])
    assert lowered and [x.text for x in lines] == ["the cat", "sat"]


class Noises:
    """Batches of noise, a new one each step."""

    identity = "noises"

    def batch(self, seed, step):
        rng = np.random.default_rng([seed, step])
        return collate(rng.normal(0, 0.1, (2, 12_000)).astype(np.float32), TEXTS[:2])


def run(folder, config, progress=lambda step, loss: None, stopping=True):
    tokens = folder.parent / "tokens"
    tokens.mkdir(exist_ok=True)
    fresh = nemo_models.build_streaming("ctc_bpe", tokens)
    chosen = [Noises().batch(1, 0)] if stopping else []
    return fit(fresh, Noises(), chosen, config, 0, folder, progress)


@pytest.mark.nemo
def test_a_run_that_was_killed_ends_with_the_same_weights(tmp_path):
    config = FitConfig(steps=6, learning_rate=1e-3, every=2)
    losses = {}
    whole = run(tmp_path / "whole", config, losses.__setitem__)

    class Killed(Exception):
        pass

    def kill(step, loss):
        if step == 3:
            raise Killed

    with pytest.raises(Killed):
        run(tmp_path / "killed", config, kill)
    (tmp_path / "killed" / "state.pt.part").write_bytes(b"half")
    rest = {}
    resumed = run(tmp_path / "killed", config, rest.__setitem__)
    assert rest == {step: losses[step] for step in (3, 4, 5, 6)}
    for name, weight in whole.state_dict().items():
        assert (weight == resumed.state_dict()[name]).all(), name
    other = {}
    run(tmp_path / "killed", FitConfig(7, 1e-3, every=2), other.__setitem__)
    assert min(other) == 1  # another config


@pytest.mark.nemo
def test_a_damaged_state_is_not_gone_on_from(tmp_path, caplog):
    (tmp_path / "state.pt").write_bytes(b"PK\x03\x04 cut short")
    losses = {}
    run(tmp_path, FitConfig(2, 1e-3), losses.__setitem__)
    assert list(losses) == [1, 2]
    assert "training starts anew" in caplog.text


@pytest.mark.nemo
def test_utterances_that_judge_choose_the_weights(tmp_path, monkeypatch):
    figures = iter([0.5, 0.2, 0.4])
    monkeypatch.setattr("training.asr.fit.judge", lambda *_: {"loss": next(figures)})
    best = run(tmp_path / "chosen", FitConfig(6, 1e-3, every=2))
    monkeypatch.undo()
    last = run(tmp_path / "last", FitConfig(6, 1e-3, every=2), stopping=False)
    longer = [best.state_dict()[name] for name, _ in best.named_parameters()]
    assert any((weight != other).any() for weight, other in zip(longer, last.parameters()))


@pytest.mark.nemo
@pytest.mark.parametrize("kind", ["ctc_bpe", "rnnt", "hybrid"])
def test_finetuning_keeps_tokens_configuration_and_lower_layers(kind, recordings, tmp_path, capsys):
    import torch

    from utils.asr.nemo.load import load

    start = nemo_models.save_streaming(kind, tmp_path, dropout=0.0)
    new = tmp_path / "own.nemo"
    arguments = ["asr", "finetune", str(recordings), "--from", str(start), "--to", str(new)]
    assert main([*arguments, "--epochs", "2", "--runs", str(tmp_path / "runs")]) == 0
    assert "before" in capsys.readouterr().out
    configs = [yaml.safe_load(read_config(path)) for path in (start, new)]
    facts = configs[1].pop(files.FACTS)
    for config in configs:  # NeMo names the files of the tokens anew
        config.pop("tokenizer")
        config.pop("nemo_version")
    assert configs[0] == configs[1]
    assert facts["finetuned_from"] == start.name and facts["recordings"] == 20
    before, after = load(start), load(new)
    assert before.tokenizer.vocab == after.tokenizer.vocab
    changed = {
        name
        for name, weight in after.state_dict().items()
        if not torch.equal(weight, before.state_dict()[name])
    }
    assert any(name.startswith("encoder.layers.1") for name in changed)
    assert not any(name.startswith(("encoder.pre_encode", "encoder.layers.0")) for name in changed)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.nemo
def test_what_cannot_be_finetuned_is_refused_before_anything_is_written(
    recordings, tmp_path, capsys
):
    letters = nemo_models.save("ctc", tmp_path)  # a model of letters
    new = tmp_path / "own.nemo"
    arguments = ["asr", "finetune", str(recordings), "--from", str(letters)]
    assert main([*arguments, "--to", str(new)]) == 1
    assert "a EncDecCTCModel, expected" in capsys.readouterr().err
    assert main([*arguments, "--to", str(tmp_path / "none" / "own.nemo")]) == 1
    assert "a folder that exists" in capsys.readouterr().err
    assert not new.exists()


# The model that ships


@pytest.fixture(scope="module")
def facts():
    return files.facts(WEIGHTS)


def test_the_shipped_model_never_heard_the_voice_that_it_is_judged_by(facts):
    assert facts["held_out"] == digits.HELD_OUT
    assert facts["held_out"] not in facts["speakers"] and len(facts["speakers"]) == 5
    assert WEIGHTS.stat().st_size < 10e6


def test_a_voice_that_the_start_heard_cannot_test_it(facts):
    unheard(facts["held_out"], WEIGHTS)
    with pytest.raises(DataError, match=f"made with --held-out {facts['speakers'][0]}"):
        unheard(facts["speakers"][0], WEIGHTS)


def test_the_card_tells_the_shipped_figures(facts):
    card = CARD.read_text()
    assert facts["judged"]
    for name, figures in facts["judged"].items():
        assert f"| {name} | {figures['words']} | {100 * figures['wer']:.1f} |" in card
    assert f"voice `{facts['held_out']}`" in card


@pytest.mark.nemo
def test_the_shipped_model_hears_an_unheard_voice(shared):
    from training.asr.evaluate import conditions, score
    from utils.asr.nemo.transcriber import NemoTranscriber

    parts = digits.split(digits.read(shared / "speech" / "spoken-digits"))
    some = [digit for digit in parts.held_out if digit.take % 10 == 0]
    transcriber = NemoTranscriber(str(WEIGHTS))
    try:
        tests = dict(conditions(some, []))
        found = score("row", tests["two to eight in a row"], transcriber, lambda n: None)
    finally:
        transcriber.close()
    assert found.words == len(some) == 50
    assert found.wer <= 0.30  # the card says how far that is from what it should be
    assert np.abs(np.median(found.late_s)) < 0.1
