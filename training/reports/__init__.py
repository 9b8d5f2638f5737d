"""What the figures say, as JSON, Markdown and pictures."""
