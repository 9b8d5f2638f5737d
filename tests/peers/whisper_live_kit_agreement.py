"""WhisperLiveKit by its other policy: what two passes over the sound agree on is committed."""

from playing import Page, play
from whisper_live_kit import WhisperLiveKit


def agreement(page: Page, model: str) -> WhisperLiveKit:
    return WhisperLiveKit(page, model_path=model, backend_policy="localagreement")


if __name__ == "__main__":
    play(agreement)
