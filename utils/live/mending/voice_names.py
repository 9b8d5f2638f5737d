"""What the voices of the lines are called: numbers as they came, and names by the presenter."""

from utils.captions.export.marks import plain
from utils.errors import RequestError
from utils.events import CaptionEvent
from utils.messages import say

LONGEST = 40  # characters of a name
TAG = "speaker"


class VoiceNames:
    """The voices of the lines that there are.

    The pipeline counts voices from the program's start and never gives a number twice; here they
    are counted from the last clear.
    """

    def __init__(self) -> None:
        self._last = 0  # number
        self._numbers: dict[int, int] = {}  # by the pipeline's own
        self._names: dict[int, str] = {}

    def told(self, event: CaptionEvent) -> CaptionEvent:
        """An event with its voice as pages are told of it; one of another board is so already."""
        heard = event.tags.get(TAG, {}).get("voice")
        if heard is None:
            return event
        if heard not in self._numbers:
            self._last += 1
            self._numbers[heard] = self._last
        return self.named(event.tagged(TAG, {"number": self._numbers[heard]}))

    def restore(self, event: CaptionEvent) -> None:
        """Know the voice of a line of before the program broke off; its number is taken."""
        speaker = event.tags.get(TAG, {})
        number, name = speaker.get("number"), speaker.get("name")
        if isinstance(number, int):
            self._last = max(self._last, number)
            if isinstance(name, str):
                self._names[number] = name

    def named(self, event: CaptionEvent) -> CaptionEvent:
        """An event that `told` has made, with the name that its voice has by now."""
        if (speaker := event.tags.get(TAG)) is None:
            return event
        number = speaker["number"]
        name = self._names.get(number)
        return event.tagged(TAG, {"number": number} | ({"name": name} if name else {}))

    def name(self, number: int, name: str) -> None:
        """Give a voice a name; "" takes it away.

        Raises
        ------
        RequestError : there is no such voice, or the name is too long
        """
        if not 1 <= number <= self._last:
            raise RequestError(say("refused.voice"))
        if len(name := plain(name)) > LONGEST:
            reason = f"a name of {len(name)} characters; expected {LONGEST} at most"
            raise RequestError(say("refused.value", reason=reason))
        self._names[number] = name

    def clear(self) -> None:
        """Forget every voice."""
        self._last = 0
        self._numbers.clear()
        self._names.clear()
