"""Greedy decoding in steps: each takes up where the last one stopped.

NeMo's own streaming decodes the whole history again at each step for CTC, which grows with
the recording; here a step costs the same however long ago the segment began.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Token:
    """A recognised token: its index, its first and last encoder frame, its probability."""

    index: int
    first: int
    last: int
    confidence: float


@dataclass(frozen=True, eq=False)
class Decoded:
    """What decoding has found of a stream until now, and what it needs to go on.

    Parameters
    ----------
    tokens : in order
    n_frames : encoder frames decoded
    carried : the decoder's own state; None at the beginning
    """

    tokens: tuple[Token, ...] = ()
    n_frames: int = 0
    carried: Any = None


class Decoder(Protocol):
    """Decodes a step of several streams at once."""

    def step(self, encoded: "torch.Tensor", befores: list[Decoded]) -> list[Decoded]:
        """Take the next encoder frames (n_streams, d_model, n_frames) of each stream."""
        ...


class CtcDecoder:
    """Greedy CTC: the likeliest label of each frame, repetitions and blanks left out.

    Parameters
    ----------
    decoder : the model's ConvASRDecoder
    """

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._blank = decoder.num_classes_with_blank - 1

    def step(self, encoded: "torch.Tensor", befores: list[Decoded]) -> list[Decoded]:
        """As `Decoder.step`; the state carried on is the label of the last frame."""
        log_probs, labels = self._decoder(encoder_output=encoded).float().max(dim=-1)
        return [
            self._collapse(before, row.tolist(), probs.exp().tolist())
            for before, row, probs in zip(befores, labels, log_probs, strict=True)
        ]

    def _collapse(self, before: Decoded, labels: list[int], probs: list[float]) -> Decoded:
        tokens, previous = list(before.tokens), before.carried
        for frame, (label, prob) in enumerate(zip(labels, probs, strict=True), before.n_frames):
            if label != self._blank:
                if label != previous:
                    tokens.append(Token(label, frame, frame, prob))
                else:
                    last = tokens[-1]
                    sure = max(last.confidence, prob)
                    tokens[-1] = replace(last, last=frame, confidence=sure)
            previous = label
        return Decoded(tuple(tokens), before.n_frames + len(labels), previous)


class TransducerDecoder:
    """Greedy RNNT or TDT, by NeMo's label looping (arXiv 2406.06220) with its state kept.

    Parameters
    ----------
    computer : `model.decoding.decoding.decoding_computer`, set to keep step confidences
    """

    def __init__(self, computer: Any) -> None:
        self._computer = computer

    def step(self, encoded: "torch.Tensor", befores: list[Decoded]) -> list[Decoded]:
        """As `Decoder.step`; the state carried on is that of NeMo's computer."""
        import torch

        n_streams, _, n_frames = encoded.shape
        lengths = torch.full((n_streams,), n_frames, device=encoded.device)
        carried = [before.carried for before in befores]
        begun = any(state is not None for state in carried)
        hypotheses, after = self._computer(
            x=encoded.transpose(1, 2),
            out_len=lengths,
            prev_batched_state=self._computer.merge_to_batched_state(carried) if begun else None,
        )
        return [
            Decoded(before.tokens + found, before.n_frames + n_frames, state)
            for before, found, state in zip(
                befores, _tokens(hypotheses), self._computer.split_batched_state(after), strict=True
            )
        ]


def _tokens(hypotheses: Any) -> list[tuple[Token, ...]]:
    """The tokens of each stream in NeMo's BatchedHyps, whose frames count from its beginning."""
    counts = hypotheses.current_lengths.tolist()
    indices, frames = hypotheses.transcript.tolist(), hypotheses.timestamps.tolist()
    # TDT's have a second column: the confidence in the token's length.
    probs = hypotheses.step_confidence.reshape(*hypotheses.transcript.shape, -1)[..., 0].tolist()
    return [
        tuple(
            Token(index, frame, frame, min(max(prob, 0.0), 1.0))
            for index, frame, prob in zip(row[:n], at[:n], sure[:n], strict=True)
        )
        for row, at, sure, n in zip(indices, frames, probs, counts, strict=True)
    ]


def open_decoder(model: Any) -> Decoder:
    """The decoder of a CTC, RNNT, TDT or hybrid model; of a hybrid its transducer."""
    if not hasattr(model, "joint"):
        return CtcDecoder(model.decoder)
    from omegaconf import OmegaConf, open_dict

    decoding = model.cfg.decoding
    with open_dict(decoding):
        decoding.strategy = "greedy_batch"
        decoding.fused_batch_size = -1
        decoding.greedy = OmegaConf.merge(
            decoding.get("greedy") or {},
            {"loop_labels": True, "use_cuda_graph_decoder": False},
        )
        # Of tokens only: NeMo's own sums for words raise where spaces come twice.
        decoding.confidence_cfg = {
            "preserve_frame_confidence": True,
            "exclude_blank": True,
            "method_cfg": {"name": "max_prob", "alpha": 1.0},
        }
    model.change_decoding_strategy(decoding, verbose=False)
    return TransducerDecoder(model.decoding.decoding.decoding_computer)
