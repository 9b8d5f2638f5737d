"""What the presenter sets up on the page: settings that stay, the microphone, the recogniser."""
