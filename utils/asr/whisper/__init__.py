"""The embedded recogniser: Whisper on CTranslate2."""
