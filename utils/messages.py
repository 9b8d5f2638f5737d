"""Every sentence that the program says to the page: a stable code, and its English.

The page shows its own translation of a code where it has one, and the English otherwise.
What stands in braces is put in from the message's values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float | bool

SENTENCES = {
    # state: loading
    "starting": "Starting…",
    "loading.recogniser": "Loading the speech recogniser…",
    "loading.fetch": "Fetching {name}: {done_mb} of {total_mb} MB…",
    "loading.emotion": "Loading the emotion model…",
    "loading.detector": "Loading the speech detector…",
    # state: ready
    "ready": "Ready.",
    "ready.asked": "Ready. Words by {engine}, as asked with {option}.",
    "ready.service": (
        "Ready. Words by {engine}, as asked with {option}. Audio leaves this machine."
    ),
    "ready.here": "Ready. Words by {engine}, because it is on this machine.",
    "ready.recommended": ("Ready. Words by {engine}, because it is recommended for {language}."),
    "ready.embedded": (
        "Ready. Words by {engine}, because no NeMo model for {language} is on this machine."
    ),
    "ready.until": "Ready. Words by {engine}, until the better model is ready.",
    "ready.kept": "Ready. Words by {engine}, because the other recogniser cannot be used.",
    "ready.built_in": (
        "Ready. Words by {engine}, which is built in: the better model cannot be fetched now."
    ),
    "ready.not_loaded": (
        "Ready. Words by {engine}, because the other model did not load: {reason}."
    ),
    "ready.ended": "The recording has ended.",
    # state: listening
    "listening": "Listening.",
    "listening.blank": "Listening, but the screens are blank. Nothing is shown or kept.",
    "listening.speaking": "The computer is speaking. Captions go on when it has finished.",
    "listening.late": "This computer is too slow: captions are {late_s} seconds late.",
    "listening.catching_up": "Captions are {late_s} seconds late, and catch up.",
    "listening.silent": "The microphone gives no sound at all. Is it muted or unplugged?",
    "listening.hum": (
        "Listening, but the microphone hums loudly, and words may be missed. Try another cable, "
        "or keep it away from power supplies."
    ),
    "listening.clipped": (
        "Listening, but loud words are cut off, and may come wrong. Turn the microphone down, or "
        "move a little away."
    ),
    "listening.faint": (
        "Something like speech is heard, but too softly or from too far away for words. "
        "Speak louder or come closer."
    ),
    "listening.quiet": "Listening, but no speech is heard. Speak louder or come closer.",
    "listening.nothing": "Listening. No speech is heard.",
    "listening.unclear": "Listening. The sound is poor, so words may be wrong or missing.",
    # state: lost
    "lost": "No sound: {reason}. Trying again by itself…",
    "lost.stuck": "The recogniser does not answer. Captions go on as soon as it does.",
    "lost.waiting": "No sound comes in. Captions go on as soon as it does.",
    # state: error
    "failed.loading": "Loading failed: {reason}.",
    "failed.loading_mistake": (
        "Loading failed by a mistake in the program: {reason}. The log says more."
    ),
    "failed": "Stopped: {reason}.",
    "failed.mistake": "Stopped by a mistake in the program: {reason}. Press Start to go on.",
    "failed.waiting": "The captions have stopped. Whoever presents can start them again.",
    # of a room that another computer captions
    "sharing.none": "Nobody captions in this room now.",
    "sharing.lost": (
        "The way to the room is interrupted. What is said meanwhile is kept, and comes as soon as "
        "that is over."
    ),
    "sharing.gone": (
        "The room's program does not answer. The captions go on here as soon as it does."
    ),
    # remarks beside the state, the worst first: pages show them in this order
    "sound.still": (
        "The program stood still for {still_s} seconds, as when a computer sleeps. "
        "What was said then may be missing."
    ),
    "sound.lost": "This computer was too slow: {lost_s} seconds of sound were lost.",
    "microphone.changed": "Another microphone is heard now.",
    "saving.failed": "Nothing is saved: {reason}. Captions go on.",
    "saving.waiting": (
        "Nothing is saved now: {reason}. Captions go on, and are saved as soon as that is over."
    ),
    "saving.moved": "The file of saved lines is gone. From here on they are saved to {file}.",
    "sharing.waiting": (
        "Pages by other computers get nothing now: {reason}. Captions go on here; what is said is "
        "kept for them."
    ),
    "sharing.back": "Pages by other computers have got what was kept for them.",
    "settings.bad": (
        "Some settings could not be used: {reason}. What is built in holds instead, and the file "
        "is left as it is."
    ),
    "settings.not_kept": "What you have chosen holds until the program ends: {reason}.",
    "settings.aside": (
        "The settings file could not be read. It is kept as {file}, and a new one was begun."
    ),
    "settings.unknown": "The settings file names what is no setting: {names}. It is left alone.",
    "settings.not_measured": "It could not be measured: {reason}.",
    "speech.failed": "The text was not spoken: {reason}.",
    "offending.bad": "Your own list of words that offend could not be read. {reason}.",
    "phrases.bad": "The quick phrases could not be read, so the usual ones are shown. {reason}.",
    "remembered.bad": "The remembered words could not be read. {reason}.",
    "remembered.not_kept": "The remembered words hold until the program ends: {reason}.",
    "phrases.not_kept": "The quick phrases hold until the program ends: {reason}.",
    "memory.high": (
        "The program uses {used_mb} MB of memory, and is to use {limit_mb} MB at the most. It "
        "gives back what it can."
    ),
    "disk.low": "Only {free_mb} MB are left on the disk. Make room, or nothing can be saved.",
    "microphone.day": (
        "Nobody was heard for a day, so the microphone was opened anew. Is it still in its place, "
        "and turned up?"
    ),
    "link.missing": "No link can be made for another device: {reason}. Captions go on.",
    "emotion.missing": "Feelings are not shown: {reason}. Captions go on.",
    "sounds.missing": "Sounds are not told: {reason}. Captions go on.",
    "voices.missing": "Another voice is not marked: {reason}. Captions go on.",
    "translation.missing": "Lines are not translated: {reason}. Captions go on.",
    "translation.none": (
        "No line is translated from {source} to {targets}: no model on this machine does that. "
        "Get one with: .venv/bin/python app.py models get {name}"
    ),
    "text_emotion.missing": "What words say is not told: {reason}. Captions go on.",
    "text_emotion.none": (
        "What words say is not told: no model for it is on this machine. "
        "Get it with: .venv/bin/python app.py models get {name}"
    ),
    "text_emotion.untranslated": (
        "What words say is not told: it is read in English, and no model on this machine "
        "translates {source} to it. Get one with: .venv/bin/python app.py models get {name}"
    ),
    "engine.fetching": "Fetching better captions: {done_mb} of {total_mb} MB.",
    "engine.waiting": "What is built in goes on listening. {reason}.",
    "engine.loading": "Getting {name} ready. Captions go on meanwhile.",
    "engine.changed": "Captions from here on by {engine}.",
    "engine.kept": "{engine} goes on listening. The other recogniser cannot be used: {reason}.",
    "pace.down": "This computer is busy: words come later for now, and more of them at once.",
    "pace.up": "This computer has room again: words come sooner.",
    # to a page that fetches what is here, but cannot connect
    "unreachable.origin": (
        "The page was opened at {origin}, which the program does not know as its own. "
        "Whoever runs it: start it with --proxy and the page's address."
    ),
    "unreachable.socket": (
        "The program answers, but does not get through. Whoever runs it: the proxy before it "
        "must pass WebSocket on, as docs/nginx.conf shows."
    ),
    "unreachable.sharing": (
        "This computer shows a room that another one captions, and cannot reach it now. "
        "Trying again by itself…"
    ),
    # refused: to the one page that asked
    "refused.presenter": "Only the presenter can do this.",
    "refused.operator": "Only an operator can do this.",
    "refused.link": "This link was used already, or is too old. Another comes from: {command}",
    "refused.value": "This cannot be done: {reason}.",
    "refused.line": "This line is not there any more, or cannot be mended.",
    "refused.voice": "This voice is not there any more.",
    "refused.remembered": "The words cannot be remembered: {reason}.",
    "refused.flood": "Too much at once. Wait a moment.",
    "refused.fixed": (
        "This was set where the program is started, by {by}. It can be changed there."
    ),
    "refused.loading": "The program is not ready yet. Try again in a moment.",
    "refused.live": "The captions are live. Stop them first.",
    "refused.recording": (
        "A recording stands in for the microphone. Start the program without it to try one."
    ),
    "refused.fetching": "{name} is being fetched: one at a time.",
    "refused.outside": (
        "You are not at this computer, and would shut yourself out. Change this there."
    ),
    "refused.blank": "The screens are blank: nothing is shown now.",
    "refused.no_emotion": "The program was started without emotion.",
    "refused.no_sounds": "The program was started without what names sounds.",
}

# What only a presenter can mend, as readers are told of it: what it does to the words.
TO_READERS = {
    "listening.silent": "listening.nothing",
    "listening.quiet": "listening.nothing",
    "listening.faint": "listening.nothing",
    "listening.hum": "listening.unclear",
    "listening.clipped": "listening.unclear",
    "lost": "lost.waiting",
    "lost.stuck": "lost.waiting",
    "failed": "failed.waiting",
    "failed.mistake": "failed.waiting",
    "failed.loading": "failed.waiting",
    "failed.loading_mistake": "failed.waiting",
}
# Remarks that are theirs too: on words that are missing or late.
ALSO_FOR_READERS = {"sound.still", "sound.lost", "pace.down"}


@dataclass(frozen=True)
class Message:
    """A sentence by its code.

    Parameters
    ----------
    code : a key of `SENTENCES`
    values : what is put into it

    Raises
    ------
    KeyError : no such code, or a value is missing
    """

    code: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        str(self)  # a wrong code is told where it is written, not where it is shown

    def __str__(self) -> str:
        return SENTENCES[self.code].format(**self.values)

    def to_dict(self) -> dict:
        """The message as it goes over the wire."""
        return {"code": self.code, "values": dict(self.values), "message": str(self)}


def rank(code: str) -> int:
    """How much a sentence matters beside others of its kind; the least number matters most."""
    return list(SENTENCES).index(code)


def say(code: str, **values: Value) -> Message:
    """The sentence of a code, with its values put in.

    >>> str(say("lost", reason="the microphone is unplugged"))
    'No sound: the microphone is unplugged. Trying again by itself…'
    """
    return Message(code, values)
