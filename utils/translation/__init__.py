"""What is said in one language, in another: models of Argos Translate and OPUS-MT."""
