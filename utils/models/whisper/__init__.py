"""The folder of a Whisper in CTranslate2's form, looked through before anything reads it."""
