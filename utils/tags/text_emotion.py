"""What the words of a finished line say, whatever the voice."""

from utils.tags.of_words import OfWords


class TextEmotionTag(OfWords):
    """Says what the words of a line say: `{"label": …, "confidence": …, "scores": {…}}`.

    Its desk is `utils.text_emotion.desk.TextEmotionDesk`.
    """

    name = "text_emotion"
    missing = "text_emotion.missing"
