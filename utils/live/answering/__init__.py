"""How somebody answers who types instead of speaking: quick phrases, and a voice that says them."""
