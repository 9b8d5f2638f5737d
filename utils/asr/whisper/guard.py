"""Whether what Whisper made of a segment was said at all: it makes up words in noise."""

from utils.asr.whisper.heard import Heard
from utils.words import bare

# As in whisper/transcribe.py: no words where the model thinks that there is no speech and is
# unsure of what it writes.
NO_SPEECH = 0.6
UNSURE = -1.0  # mean logarithm of the tokens' probabilities
WILD = -2.0  # below which the text is made up, whatever else the model thinks
# What it writes of sneezes, coughs and silence, as films' subtitles have it there; said in
# earnest it is surer of it.
STOCK = {"you", "thanks", "thankyou", "thanksforwatching", "thankyouforwatching"}
STOCK_SURE = 0.6  # mean probability of such words


def is_speech(heard: Heard) -> bool:
    """Whether the words are to be believed."""
    if not heard.words or heard.log_probability < WILD:
        return False
    if heard.no_speech > NO_SPEECH and heard.log_probability < UNSURE:
        return False
    if bare(heard.text) not in STOCK:
        return True
    return sum(word.confidence or 0.0 for word in heard.words) >= STOCK_SURE * len(heard.words)
