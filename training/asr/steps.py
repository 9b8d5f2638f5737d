"""What every kind of NeMo model needs of a training step: batch, loss, words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import kaldialign
import numpy as np
import torch

from utils.audio import SAMPLE_RATE

FRAME_S = 0.08  # of the encoder's output, for models with eightfold subsampling
LATE_FRAMES = 2  # after its end a word may still be told, for want of look-ahead
TELL, SILENCE = 0.3, 0.5  # weights of words at their ends, and of silence between them


@dataclass(frozen=True, eq=False)
class Batch:
    """Utterances of like or unlike length.

    Parameters
    ----------
    signal, lengths : float32 (batch, n) padded with zeros, and int64 (batch,)
    texts : what is said in each
    spans : (start, end) of each word as sample indices, where they are known
    """

    signal: torch.Tensor
    lengths: torch.Tensor
    texts: tuple[str, ...]
    spans: tuple[tuple[tuple[int, int], ...], ...] | None = None


def collate(
    samples: Sequence[np.ndarray],
    texts: Sequence[str],
    spans: Sequence[tuple[tuple[int, int], ...]] | None = None,
) -> Batch:
    """A batch of (n,) arrays."""
    lengths = torch.tensor([len(s) for s in samples])
    signal = torch.zeros(len(samples), int(lengths.max()))
    for row, s in zip(signal, samples):
        row[: len(s)] = torch.from_numpy(s)
    return Batch(signal, lengths, tuple(texts), tuple(spans) if spans is not None else None)


def kind(model: Any) -> str:
    """ "ctc", "rnnt" or "hybrid", or "" for a model that cannot be trained here."""
    names = {
        "EncDecCTCModelBPE": "ctc",
        "EncDecRNNTBPEModel": "rnnt",
        "EncDecHybridRNNTCTCBPEModel": "hybrid",
    }
    return names.get(type(model).__name__, "")


def targets(model: Any, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token numbers int64 (batch, longest), padded, and their number (batch,)."""
    rows = [
        torch.tensor(model.tokenizer.text_to_ids(text) if text else [], dtype=torch.long)
        for text in texts
    ]
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    return padded.to(model.device), torch.tensor([len(r) for r in rows], device=model.device)


def loss(model: Any, batch: Batch) -> torch.Tensor:
    """NeMo's own loss of a batch, and what it costs to tell a word where it is not."""
    signal, lengths = batch.signal.to(model.device), batch.lengths.to(model.device)
    output, n_frames = model(input_signal=signal, input_signal_length=lengths)[:2]
    tokens, n_tokens = targets(model, batch.texts)
    if kind(model) == "ctc":
        found = model.loss(
            log_probs=output, targets=tokens, input_lengths=n_frames, target_lengths=n_tokens
        )
        return found + timing(output, tokens, batch) if batch.spans is not None else found
    found = _transducer_loss(model, output, n_frames, tokens, n_tokens)
    if kind(model) != "hybrid":
        return found
    log_probs = model.ctc_decoder(encoder_output=output)
    beside = model.ctc_loss(
        log_probs=log_probs, targets=tokens, input_lengths=n_frames, target_lengths=n_tokens
    )
    return (1 - model.ctc_loss_weight) * found + model.ctc_loss_weight * beside


def _transducer_loss(
    model: Any,
    encoded: torch.Tensor,
    n_frames: torch.Tensor,
    tokens: torch.Tensor,
    n_tokens: torch.Tensor,
) -> torch.Tensor:
    """As in NeMo's `EncDecRNNTModel.training_step`."""
    decoded, n_decoded = model.decoder(targets=tokens, target_length=n_tokens)[:2]
    if model.joint.fuse_loss_wer:
        return model.joint(
            encoder_outputs=encoded,
            decoder_outputs=decoded,
            encoder_lengths=n_frames,
            transcripts=tokens,
            transcript_lengths=n_tokens,
            compute_wer=False,
        )[0]
    joint = model.joint(encoder_outputs=encoded, decoder_outputs=decoded)
    return model.loss(
        log_probs=joint, targets=tokens, input_lengths=n_frames, target_lengths=n_decoded
    )


def timing(log_probs: torch.Tensor, tokens: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Cost of words that are not told at their ends, or told where nobody speaks.

    CTC alone may tell a word anywhere, and finds out slowly where; this shows it the way, so
    that training takes minutes and word times can be read off. Where a model has one token a
    word; summed for each utterance.

    Parameters
    ----------
    log_probs : (batch, n_frames, n_tokens + 1), blank last
    tokens : (batch, n_words)
    """
    n_frames = log_probs.shape[1]
    cost = log_probs.new_zeros(())
    known = batch.spans or ()
    for row, words, spans, length in zip(log_probs, tokens, known, batch.lengths.tolist()):
        silent = torch.zeros(n_frames)
        silent[: _frame(length)] = 1
        for start, end in spans:
            silent[_frame(start) : _frame(end) + 1 + LATE_FRAMES] = 0
        ends = torch.tensor([min(_frame(end), n_frames - 1) for _, end in spans], dtype=torch.long)
        told = row[ends.to(row.device), words[: len(ends)]].sum()
        cost = cost - TELL * told - SILENCE * (row[:, -1] * silent.to(row.device)).sum()
    return cost / len(log_probs)


def _frame(sample: int) -> int:
    return int(sample / SAMPLE_RATE / FRAME_S)


def transcribe(model: Any, batches: Sequence[Batch]) -> list[str]:
    """Greedy texts of all batches; the model is in evaluation mode from then on."""
    model.eval()
    found: list[str] = []
    with torch.inference_mode():
        for batch in batches:
            signal, lengths = batch.signal.to(model.device), batch.lengths.to(model.device)
            output, n_frames = model(input_signal=signal, input_signal_length=lengths)[:2]
            if kind(model) == "ctc":
                best = model.decoding.ctc_decoder_predictions_tensor(
                    output, decoder_lengths=n_frames
                )
            else:
                best = model.decoding.rnnt_decoder_predictions_tensor(output, n_frames)
            found += [(h[0] if isinstance(h, list) else h).text.strip() for h in best]
    return found


def word_errors(truth: Sequence[str], found: Sequence[str]) -> dict[str, int]:
    """Words, and those wrong ("sub"), too many ("ins") and missing ("del") in all texts."""
    total = {"words": 0, "sub": 0, "ins": 0, "del": 0}
    for said, heard in zip(truth, found, strict=True):
        counts = kaldialign.edit_distance(said.split(), heard.split())
        total["words"] += len(said.split())
        for name in ("sub", "ins", "del"):
            total[name] += counts[name]
    return total


def wer(truth: Sequence[str], found: Sequence[str]) -> float:
    """Word error rate over all texts together."""
    counts = word_errors(truth, found)
    return (counts["sub"] + counts["ins"] + counts["del"]) / max(counts["words"], 1)
