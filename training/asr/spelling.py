"""Whether a model's tokens can spell what it is to learn."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from training.asr.manifest import Line
from utils.command_line.output import counted
from utils.errors import DataError


def fitted(tokenizer: Any, lines: Sequence[Line]) -> tuple[list[Line], bool]:
    """Lines as the model writes, and whether they had to be put into lower case for it.

    Transcripts all in capitals, as corpora have them, are put into lower case: nobody wants
    such captions, and most models know no capitals.

    Raises
    ------
    DataError : words that the tokens cannot spell, each named
    """
    shouted = all(line.text == line.text.upper() for line in lines)
    lowered = shouted or bool(
        unspelled(tokenizer, (line.text for line in lines))
        and not unspelled(tokenizer, (line.text.lower() for line in lines))
    )
    if lowered:
        lines = [replace(line, text=line.text.lower()) for line in lines]
    if words := unspelled(tokenizer, (line.text for line in lines)):
        shown = ", ".join(words[:30]) + (f" and {len(words) - 30} more" if words[30:] else "")
        raise DataError(
            f"the model cannot spell {counted(len(words), 'word')} of the manifest: {shown}. Write "
            f"with what it knows ({alphabet(tokenizer)}), figures as words, or take another model"
        )
    return list(lines), lowered


def unspelled(tokenizer: Any, texts: Iterable[str]) -> list[str]:
    """Words with a part that no token stands for, each once."""
    words = dict.fromkeys(word for text in texts for word in text.split())
    unknown = tokenizer.unk_id
    return [word for word in words if unknown in tokenizer.text_to_ids(word)]


def alphabet(tokenizer: Any) -> str:
    """The characters that single tokens stand for, or the words where all are words."""
    tokens = [token.lstrip("▁") for token in tokenizer.vocab]
    single = sorted({token for token in tokens if len(token) == 1})
    return "".join(single) if single else ", ".join(t for t in tokens if t and t[0] != "<")
