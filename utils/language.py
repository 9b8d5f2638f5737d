"""Languages as settings name them: "en", "ko", or a tag such as "en-US"."""


def two_letters(language: str) -> str:
    """The language without its country.

    >>> two_letters("en-US"), two_letters("ko")
    ('en', 'ko')
    """
    return language.split("-")[0].lower()
