"""Names and places that a NeMo model should prefer, from a plain list of phrases.

While it decodes, each token that would carry on one of the phrases is given a bonus on its
logarithmic probability, by NeMo's boosting tree (GPU-PB: A. Andrusenko et al., "TurboBias",
arXiv 2508.07014). The place in the tree is carried on from step to step with the decoder's
own state, so boosted text does not depend on how the sound arrived.

Works for greedy CTC, RNNT and TDT decoding (of hybrids, their transducer) with BPE tokens of
one vocabulary; not for models that hear whole segments by `transcribe()`, nor models of
letters. It only turns a token into another: a word of which the model hears nothing at all
is not invented.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from utils.asr.nemo.decode import CtcDecoder, Decoded, Decoder, Token, TransducerDecoder
from utils.errors import ConfigError

if TYPE_CHECKING:
    import torch

STRENGTH = 1.0  # times NeMo's own bonus: 1 for a phrase's first token, 2 and more after it
FIRST, DEEPER = 1.0, 2.0  # NeMo's context_score and depth_scaling for CTC, RNNT and TDT


def boost(model: Any, decoder: Decoder, phrases: tuple[str, ...]) -> Decoder:
    """A decoder that prefers `phrases`; `decoder` is not used again.

    Parameters
    ----------
    model : the NeMo model that `decoder` decodes

    Raises
    ------
    ConfigError : the model cannot be boosted, or cannot spell a phrase; each is named
    """
    tree = _tree(model, phrases)
    if isinstance(decoder, CtcDecoder):
        return BoostedCtcDecoder(model.decoder, tree)
    if isinstance(decoder, TransducerDecoder):
        computer = model.decoding.decoding.decoding_computer
        computer.fusion_models, computer.fusion_models_alpha = [tree], [STRENGTH]
        return TransducerDecoder(computer)
    raise ConfigError(f"{type(decoder).__name__} cannot be boosted; leave out the phrases")


def _tree(model: Any, phrases: tuple[str, ...]) -> Any:
    """NeMo's boosting tree of the phrases, on the model's device."""
    tokenizer: Any = getattr(model, "tokenizer", None)
    if not isinstance(getattr(tokenizer, "unk_id", None), int):
        raise ConfigError(
            f"a {type(model).__name__} without BPE tokens of one vocabulary cannot prefer phrases; "
            "leave them out, or choose a model with BPE tokens"
        )
    spelled = {phrase: _spellings(tokenizer, phrase) for phrase in phrases}
    if unknown := [phrase for phrase, tokens in spelled.items() if not tokens]:
        raise ConfigError(
            f"the model cannot spell {len(unknown)} of {len(phrases)} phrases: "
            f"{', '.join(unknown[:20])}; write them in its language and alphabet, figures as "
            "words, or take them out"
        )
    from nemo.collections.asr.parts.context_biasing import GPUBoostingTreeModel
    from nemo.collections.asr.parts.context_biasing.context_graph_universal import ContextGraph

    rows = [tokens for rows in spelled.values() for tokens in rows]
    graph = ContextGraph(context_score=FIRST, depth_scaling=DEEPER)
    graph.build(token_ids=rows)
    tree = GPUBoostingTreeModel.from_context_graph(
        graph, tokenizer.vocab_size, uniform_weights=False
    )
    return tree.to(model.device)


def _spellings(tokenizer: Any, phrase: str) -> list[list[int]]:
    """Tokens of a phrase as written, and in lower case for models that know no capitals."""
    rows = [tokenizer.text_to_ids(phrase), tokenizer.text_to_ids(phrase.lower())]
    return [
        tokens
        for k, tokens in enumerate(rows)
        if tokens and tokenizer.unk_id not in tokens and tokens not in rows[:k]
    ]


class BoostedCtcDecoder:
    """Greedy CTC that prefers phrases.

    Where the likeliest label of a frame begins a new token, the bonuses decide which; blanks
    and repetitions stay. NeMo does the same for whole recordings; this also goes on from step
    to step, and takes a label that repeats a token just replaced for the same token.

    Parameters
    ----------
    decoder : the model's ConvASRDecoder
    tree : NeMo's GPUBoostingTreeModel
    """

    def __init__(self, decoder: Any, tree: Any) -> None:
        self._decoder, self._tree = decoder, tree
        self._blank = decoder.num_classes_with_blank - 1

    def step(self, encoded: "torch.Tensor", befores: list[Decoded]) -> list[Decoded]:
        """As `Decoder.step`; label and place in the tree are carried on."""
        log_probs = self._decoder(encoder_output=encoded).float()
        return [self._one(rows, before) for rows, before in zip(log_probs, befores, strict=True)]

    def _one(self, log_probs: "torch.Tensor", before: Decoded) -> Decoded:
        """Decode float (n_frames, n_labels) of one stream."""
        tokens = list(before.tokens)
        if before.carried is None:
            start = self._tree.get_init_states(batch_size=1, bos=True).to(log_probs.device)
            heard, place = self._blank, start
        else:
            heard, place = before.carried
        labels = log_probs.argmax(dim=-1).tolist()
        for frame, (label, row) in enumerate(zip(labels, log_probs), before.n_frames):
            follows = tokens[-1].index if heard != self._blank else None
            if label != self._blank and label in (heard, follows):
                last = tokens[-1]
                sure = max(last.confidence, float(row[last.index].exp()))
                tokens[-1] = replace(last, last=frame, confidence=sure)
            elif label != self._blank:
                chosen, place = self._choose(row, place, follows)
                tokens.append(Token(chosen, frame, frame, float(row[chosen].exp())))
            heard = label
        return Decoded(tuple(tokens), before.n_frames + len(labels), (heard, place))

    def _choose(
        self, row: "torch.Tensor", place: "torch.Tensor", follows: int | None
    ) -> tuple[int, "torch.Tensor"]:
        """The token of a frame, and the place in the tree after it.

        Parameters
        ----------
        follows : token of the frame before; without a blank between, it cannot come again
        """
        bonus, after = self._tree.advance(states=place)
        scores = row[:-1] + STRENGTH * bonus[0]
        if follows is not None:
            scores[follows] = -float("inf")
        chosen = int(scores.argmax())
        return chosen, after[:, chosen]
