"""What whoever looks after the program sees of it: metrics, logs, and the word to systemd."""
