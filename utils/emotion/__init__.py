"""What the emotion network hears and is."""
