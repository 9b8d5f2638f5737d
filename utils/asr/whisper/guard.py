"""Whether what Whisper made of a segment was said at all: it makes up words in noise."""

from utils.asr.whisper.model import Heard

# Both as in whisper/transcribe.py: no words where the model thinks that there is no speech
# and is unsure of what it writes.
NO_SPEECH = 0.6
UNSURE = -1.0  # mean logarithm of the tokens' probabilities
WILD = -1.5  # below which the text is made up, whatever else the model thinks


def is_speech(heard: Heard) -> bool:
    """Whether the words are to be believed."""
    if not heard.words:
        return False
    if heard.log_probability < WILD:
        return False
    return heard.no_speech <= NO_SPEECH or heard.log_probability >= UNSURE
