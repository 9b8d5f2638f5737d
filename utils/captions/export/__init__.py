"""How captions are written for other programs: subtitles, a document, marks before words."""
