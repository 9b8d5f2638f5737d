"""Tokens to text and words, for models of word pieces and of letters."""

from typing import Any

from utils.asr.nemo.decode import Token
from utils.events import Transcription, Word

WORD_START = "\N{LOWER ONE EIGHTH BLOCK}"  # SentencePiece's mark of a space


class Spelling:
    """Turns the token indices of a model into text.

    Parameters
    ----------
    model : a restored NeMo model with `tokenizer`, or with a vocabulary of letters
    frame_s : length of an encoder frame, in seconds
    """

    def __init__(self, model: Any, frame_s: float) -> None:
        self._tokenizer = getattr(model, "tokenizer", None)
        self._letters = [] if self._tokenizer else list(_vocabulary(model))
        self._frame_s = frame_s

    def text(self, tokens: tuple[Token, ...]) -> str:
        """The words of `tokens`, as the model's own decoding spells them."""
        indices = [token.index for token in tokens]
        if self._tokenizer is None:
            return "".join(self._letters[i] for i in indices).strip()
        return self._tokenizer.ids_to_text(indices).strip()

    def transcription(self, tokens: tuple[Token, ...], end_s: float) -> Transcription:
        """Text and words of `tokens`; times are held inside [0, `end_s`].

        A word begins with the frame of its first token and ends with that of its last; it is
        as likely as its least likely token.
        """
        text = self.text(tokens)
        groups = self._groups(tokens)
        spelt = [self.text(group) for group in groups]
        if " ".join(spelt) != text:  # a tokenizer that joins words in another way
            return Transcription(text)
        words = (self._word(*pair, end_s) for pair in zip(spelt, groups, strict=True))
        return Transcription(text, tuple(words))

    def _groups(self, tokens: tuple[Token, ...]) -> list[tuple[Token, ...]]:
        """The tokens of each word."""
        groups: list[list[Token]] = []
        begins = True
        for token in tokens:
            piece = self._piece(token.index)
            if piece.strip(f" {WORD_START}") == "":  # a space by itself
                begins = True
                continue
            if begins or piece.startswith(WORD_START):
                groups.append([])
            groups[-1].append(token)
            begins = False
        return [tuple(group) for group in groups]

    def _piece(self, index: int) -> str:
        if self._tokenizer is None:
            return self._letters[index]
        return self._tokenizer.ids_to_tokens([index])[0]

    def _word(self, text: str, tokens: tuple[Token, ...], end_s: float) -> Word:
        start_s = min(tokens[0].first * self._frame_s, end_s)
        stop_s = min((tokens[-1].last + 1) * self._frame_s, end_s)
        return Word(text, start_s, stop_s, round(min(t.confidence for t in tokens), 3))


def _vocabulary(model: Any) -> list[str]:
    vocabulary = getattr(model.decoder, "vocabulary", None)
    return vocabulary if vocabulary is not None else model.joint.vocabulary
