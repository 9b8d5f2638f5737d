"""Phrases that a NeMo model prefers, in steps; models made here, and the one that ships."""

import os

import numpy as np
import pytest

from tests import nemo_models
from training.asr.commands import WEIGHTS
from utils.asr.nemo.boost import boost
from utils.asr.nemo.decode import Decoded, open_decoder
from utils.asr.phrases import LONGEST_FILE, MOST_PHRASES, read_phrases
from utils.errors import ConfigError

KINDS = ("ctc_bpe", "rnnt", "tdt", "hybrid")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return {
        kind: nemo_models.build_streaming(kind, tmp_path_factory.mktemp(kind)) for kind in KINDS
    }


def phrases_file(folder, content):
    path = folder / "phrases.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_phrases_are_read_one_a_line(tmp_path):
    path = phrases_file(tmp_path, "\ufeffAda  Lovelace\r\n\nWien\nAda Lovelace\n")
    assert read_phrases(path) == ("Ada Lovelace", "Wien")


@pytest.mark.parametrize(
    "content, told",
    [
        (b"\xff\xfeW\x00", "not UTF-8"),
        ("", "has no phrase"),
        ("\n \n", "has no phrase"),
        ("a\n" + "b" * 200, ":2: 200 characters"),
        ("a\x00b", ":1: holds control characters"),
        ("x" * (LONGEST_FILE + 1), f"{LONGEST_FILE} bytes at most"),
        ("\n".join(f"name {k}" for k in range(MOST_PHRASES + 1)), f"{MOST_PHRASES + 1} phrases"),
    ],
)
def test_a_bad_list_is_refused(tmp_path, content, told):
    with pytest.raises(ConfigError, match=told):
        read_phrases(phrases_file(tmp_path, content))


def test_a_list_that_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "names")
    for path in (tmp_path / "names", "/dev/zero"):
        with pytest.raises(ConfigError, match="it is a (pipe|device), not a file"):
            read_phrases(path)


def test_a_missing_list_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_phrases(tmp_path / "none.txt")


def decode(decoder, encoded, sizes):
    """Indices, frames and ends of the tokens of (1, d_model, n_frames), in steps."""
    import torch

    found, at = Decoded(), 0
    with torch.inference_mode():
        for size in sizes:
            [found] = decoder.step(encoded[:, :, at : at + size], [found])
            at += size
    return [(token.index, token.first, token.last) for token in found.tokens]


def encoded_noise(n_frames=40):
    import torch

    rng = np.random.default_rng(4)
    return torch.from_numpy(rng.normal(0, 2, (1, 32, n_frames)).astype(np.float32))


def unsure(model):
    """Let all tokens be nearly alike, so that a bonus decides; the likeliest stay so."""
    last = (
        model.joint.joint_net[-1] if hasattr(model, "joint") else model.decoder.decoder_layers[-1]
    )
    for parameter in last.parameters():
        parameter.data /= 1000
    return model


@pytest.mark.nemo
@pytest.mark.parametrize("kind", KINDS)
def test_phrases_are_preferred_however_the_sound_arrives(models, kind, tmp_path):
    model = unsure(nemo_models.build_streaming(kind, tmp_path))
    encoded = encoded_noise()
    plain = decode(open_decoder(model), encoded, [40])
    boosted = decode(boost(model, open_decoder(model), ("the cat", "sat")), encoded, [40])
    wanted = set(model.tokenizer.text_to_ids("the cat")) | set(model.tokenizer.text_to_ids("sat"))
    share = [np.mean([index in wanted for index, *_ in found]) for found in (plain, boosted)]
    assert share[1] > share[0]
    for sizes in ([1] * 40, [7] * 5 + [5], [13, 1, 26]):
        decoder = boost(model, open_decoder(model), ("the cat", "sat"))
        assert decode(decoder, encoded, sizes) == boosted


@pytest.mark.nemo
@pytest.mark.parametrize("kind", KINDS)
def test_streams_do_not_mix(models, kind, tmp_path):
    import torch

    model = nemo_models.build_streaming(kind, tmp_path)
    decoder = boost(model, open_decoder(model), ("the cat",))
    first, second = encoded_noise(), encoded_noise().flip(2)
    alone = [decode(decoder, encoded, [20, 20]) for encoded in (first, second)]
    both, found = torch.cat([first, second]), [Decoded(), Decoded()]
    with torch.inference_mode():
        for at in (0, 20):
            found = decoder.step(both[:, :, at : at + 20], found)
    together = [[(t.index, t.first, t.last) for t in one.tokens] for one in found]
    assert together == alone


@pytest.mark.nemo
def test_words_that_the_model_cannot_spell_are_named(models):
    with pytest.raises(ConfigError, match=r"cannot spell 1 of 2 phrases: Žižek"):
        boost(models["ctc_bpe"], open_decoder(models["ctc_bpe"]), ("cat", "Žižek"))


@pytest.mark.nemo
def test_capitals_are_put_into_what_the_model_writes(models):
    model = models["ctc_bpe"]
    encoded = encoded_noise()
    found = [
        decode(boost(model, open_decoder(model), (phrase,)), encoded, [40])
        for phrase in ("The CAT", "the cat")
    ]
    assert found[0] == found[1]


@pytest.mark.nemo
def test_a_near_miss_becomes_the_phrase(shared):
    """Rows of digits that the shipped model mishears, each with that row as the phrase."""
    import torch

    from training.asr import digits
    from training.asr.evaluate import conditions
    from utils.asr.nemo.load import load

    recordings = digits.split(digits.read(shared / "speech" / "spoken-digits")).held_out
    some = [recording for recording in recordings if recording.take % 5 == 0]
    rows = dict(conditions(some, []))["two to eight in a row"]
    model = load(WEIGHTS)
    misheard, righted, spoilt = 0, 0, 0
    for row in rows:
        samples = torch.from_numpy(np.pad(row.samples, 4800))[None]
        with torch.inference_mode():
            mel, n = model.preprocessor(
                input_signal=samples, length=torch.tensor([samples.shape[1]])
            )
            encoded, _ = model.encoder(audio_signal=mel, length=n)
        steps = [7] * -(-encoded.shape[2] // 7)
        truth = model.tokenizer.text_to_ids(" ".join(row.words))
        plain = [index for index, *_ in decode(open_decoder(model), encoded, steps)]
        decoder = boost(model, open_decoder(model), (" ".join(row.words),))
        boosted = [index for index, *_ in decode(decoder, encoded, steps)]
        misheard += plain != truth
        righted += plain != truth and boosted == truth
        spoilt += plain == truth and boosted != truth
    assert misheard >= 3 and righted >= misheard / 3 and spoilt == 0
