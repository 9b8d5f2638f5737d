"""Two texts beside each other, word by word; case and punctuation make no difference."""

Step = tuple[bool, int | None, int | None]  # the same word; its place here, and there


def same(a: str, b: str) -> bool:
    """Whether two words read the same, case and punctuation apart.

    >>> same("Well,", "well"), same("-", "…")
    (True, False)
    """
    return a == b or bare(a) == bare(b) != ""


def bare(word: str) -> str:
    """Letters and digits of a text alone, in lower case.

    >>> bare("Don't,")
    'dont'
    """
    return "".join(c for c in word.casefold() if c.isalnum())


def distances(a: list[str], b: list[str]) -> list[list[int]]:
    """Edit distance of each beginning of `a` from each beginning of `b`."""
    table = [list(range(len(b) + 1))]
    for i, word in enumerate(a, 1):
        above, row = table[-1], [i]
        for j, other in enumerate(b, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (not same(word, other))))
        table.append(row)
    return table


def covered(shown: list[str], words: list[str]) -> int:
    """How many of the first `words` say what was shown, as nearly as they can.

    >>> covered("we will meat".split(), "We will meet again soon".split())
    3
    """
    last = distances(shown, words)[-1]
    return min(range(len(last)), key=lambda j: (last[j], abs(j - len(shown))))


def changed(shown: list[str], words: list[str]) -> int:
    """How many words are changed, dropped or put between, where `words` replaces what was shown.

    Words that are added at the end are not counted: that is how text grows.

    >>> changed("we will".split(), "We will meet again".split())
    0
    >>> changed("we will meat".split(), "We shall meet again".split())
    2
    """
    return min(distances(shown, words)[-1])


def align(a: list[str], b: list[str]) -> list[Step]:
    """The steps of the shortest way from one text to another.

    >>> align("the old house".split(), "the house".split())
    [(True, 0, 0), (False, 1, None), (True, 2, 1)]
    """
    table, i, j = distances(a, b), len(a), len(b)
    steps: list[Step] = []
    while i or j:
        if i and j and table[i][j] == table[i - 1][j - 1] + (not same(a[i - 1], b[j - 1])):
            i, j = i - 1, j - 1
            steps.append((same(a[i], b[j]), i, j))
        elif i and table[i][j] == table[i - 1][j] + 1:
            i -= 1
            steps.append((False, i, None))
        else:
            j -= 1
            steps.append((False, None, j))
    return steps[::-1]
