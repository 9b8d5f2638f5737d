"""Korean words from the units that a recogniser's language model is made of.

The Korean Vosk model knows stems, particles and endings as words of their own ("신청 해 주세요",
"인터넷 으로") and numbers in brackets ("[17] 일", "{만} 육 (천)"), and marks nowhere which of them
are written together. Readers expect eojeol: a stem with all that hangs on it, and numbers as
they were said ("십칠일"). What hangs on is told here by the grammar of particles and endings,
by whether the syllable before ends in a consonant, and by stems that never stand alone.
"""

import re
from collections.abc import Sequence

from utils.events import Word

# Noises and unknown words: "<UNK>", "<SPOKEN_NOISE>", "!SIL".
_NOTHING = re.compile(r"<.*>|!SIL")
_NUMBER = re.compile(r"\[(\d+)\]|[\[({](\w+)[\])}]")

_DIGITS = "영일이삼사오육칠팔구"
_NATIVE_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_NATIVE_TENS = {0: "", 1: "열", 2: "스무"}
_MOST_NATIVE = 20  # people and things; more are mostly counted in Sino-Korean
_MOST_HOURS = 12
_MONTHS = {6: "유", 10: "시"}
_HOURS = frozenset(("시", "시간"))
_NATIVE_COUNTERS = _HOURS | frozenset(
    "명 개 건 살 마리 잔 병 권 장 대 달 가지 사람 곳 배 그루 송이 켤레 쌍 벌 채".split()
)
_COUNTERS = _NATIVE_COUNTERS | frozenset(
    "년 월 일 분 초 원 번 번째 회 차 위 층 호 세 도 점 퍼센트 프로 킬로 미터 킬로미터 센티미터 "
    "그램 킬로그램 리터 톤 주 주일 개월 대째 인 만 억 조 천 백 십 여".split()
)
_ONES = frozenset(_DIGITS)
_PLACES = frozenset("십백천만억조")
_AFTER_COUNTERS = ("동안", "간", "정도", "이상", "이하", "쯤")

# Particles that hang on whatever stands before them.
_PARTICLES = frozenset(
    "은 는 을 를 의 에 에는 에도 에만 에서 에서는 에서도 에서의 에게 에게는 에게서 한테 한테서 "
    "께 께서 께서는 와 과 와는 과는 와의 과의 로 으로 로는 으로는 로도 으로도 로의 으로의 로서 "
    "으로서 로써 으로써 로부터 으로부터 로만 으로만 만 만은 만이 만을 만으로 만으로도 도 까지 "
    "까지는 까지도 부터 부터는 마저 마저도 조차 조차도 밖에 보다 보다는 보다도 처럼 처럼은 마다 "
    "이나 이라도 라도 이란 이라 이라고 이라는 이라면 라고 라는 라면 라서 이라서 랑 이랑 "
    "엔 에선 에겐 한텐 께선 뿐만 이든 이든지 든 든지 이며 이고 이지만 이야 야 요 이요 들 "
    "들이 들은 들을 들의 들도 들에 들과 들에게 들에게는 님 님이 님은 님을 님의 님께 "
    "님께서 씩 쯤 짜리 째 가 이".split()
)
# These are words of their own as often; where they hang on, the syllable before tells.
_AFTER_CONSONANT = frozenset(("이", "과", "이나", "이라", "이고", "이며", "이야"))
_AFTER_VOWEL = frozenset(("가", "와", "야"))
_CLOSED = frozenset("에 에서 에게 한테 께 으로 로 도 만 를 는".split())  # no subject follows these
_AFTER_NOUNS = frozenset(("대로", "뿐", "뿐이"))  # after a verb, which ends in ㄴ or ㄹ, a noun

# What begins like this is the end of a verb or an adjective, or the copula.
_ENDING = re.compile(
    "습니|었|았|였|겠|으면|으니|으시|으십|으세|으려|으며|은데|는데|는다|는지|는구|는가|느냐|시면|시고|시는"
    "|시겠|십시|시오|셨|셔|세요|세여|던데|더라|더니|던$|지만|지요|죠|네요|군요|구나|니까|니다|면서|려고|려면"
    "|도록|어서|아서|어야|아야|어요|아요|어도|아도|자마자|거나|다고|다는|다면|다며|다가|답니|다던|래요|대요|냐고|자고"
    "|입니|인데|이에요|예요|이었|이다$|인가|일까|이니|고$|고요|면$|서$|며$|지$|지는|지도"
    "|지를|기$|기는|기도|기만|기를|기에|스러|스럽|롭|적인|적으로|적이|적$"
)
# Verbs that make verbs of nouns: do, become, suffer, let. "한" and "할" are words as well.
_VERB = re.compile(
    "하|해|했|한|할|함|합|되|돼|됐|된|될|됨|됩|당하|당해|당했|당한|시키|시켜|시켰|시킨|시킬"
)
_NO_VERB_AFTER = frozenset(
    "안 더 또 다 꼭 좀 왜 뭐 뭘 걸 거 것 게 수 때 대로 너무 정말 아주 매우 다시 같이 많이 "
    "빨리 열심히 어떻게 이렇게 그렇게 저렇게 그냥 지금 오늘 내일 어제 "
    "나 너 저 내 네 제 그 이".split()
)
_NO_VERBS = re.compile(
    "하나|하루|하늘|하지만|해외|해변|해당|한국|한번|한테|함께|합의|되게|할머|할아"
)

# Stems that cannot end a word: by their last consonant, ㄵ ㄶ ㅀ ㅆ ㅎ, or by name.
_OPEN_FINALS = frozenset((5, 6, 15, 20, 27))
_OPEN_STEMS = tuple("없 싶 높 깊 찾 받 먹 맞 늦 잊 쉽 어렵 가볍 무겁 고맙 가깝 아름답 새롭".split())
_NA_RA = (4, 8)  # ㄴ and ㄹ
_OBJECT = ("을", "를")
_NO_NOUN = ("기만", "기도", "기는", "지만", "지도", "지는", "지를", "게")


def words(units: Sequence[Word]) -> tuple[Word, ...]:
    """Write units as words: joined, with numbers spelt.

    Parameters
    ----------
    units : as the recogniser gives them, in order

    Returns
    -------
    a word lasts from its first unit to its last, and is as likely as the least likely
    """
    units = [unit for unit in units if not _NOTHING.fullmatch(unit.text)]
    texts = [unit.text for unit in units]
    found: list[Word] = []
    for i, unit in enumerate(units):
        spelt = spell(unit.text, texts[i + 1] if i + 1 < len(texts) else "")
        if i and hangs_on(texts[i - 1], texts[i], texts[i + 1] if i + 1 < len(texts) else ""):
            found.append(_joined(found.pop(), unit, spelt))
        else:
            found.append(Word(spelt, unit.start_s, unit.end_s, unit.confidence))
    return tuple(found)


def _joined(word: Word, unit: Word, spelt: str) -> Word:
    known = [c for c in (word.confidence, unit.confidence) if c is not None]
    return Word(word.text + spelt, word.start_s, unit.end_s, min(known, default=None))


def text(units: str) -> str:
    """Write units that spaces part as words.

    Examples
    --------
    >>> text("[17] 일 인터넷 으로 신청 하 였 습니다")
    '십칠일 인터넷으로 신청하였습니다'
    """
    return " ".join(word.text for word in words([Word(unit, 0.0, 0.0) for unit in units.split()]))


def hangs_on(before: str, unit: str, after: str = "") -> bool:
    """Whether a unit is written together with the one before it.

    Parameters
    ----------
    before, unit, after : neighbours; `after` is empty at the end of what is known
    """
    if _NUMBER.fullmatch(before) or _NUMBER.fullmatch(unit):
        return _in_number(before, unit)
    if not (_is_hangul(before[-1]) and _is_hangul(unit[0])):
        return unit in _PARTICLES and unit not in _AFTER_CONSONANT  # of letters: "KBS 에서"
    if _final(before) in _OPEN_FINALS or before.endswith(_OPEN_STEMS):
        return True
    if unit in _AFTER_NOUNS:
        return _final(before) not in _NA_RA
    if unit in _AFTER_CONSONANT:
        return _final(before) != 0
    if unit in _AFTER_VOWEL:
        return _final(before) == 0 and before not in _CLOSED
    if unit in _PARTICLES:
        return True
    if before.endswith(_OBJECT):
        return False
    return bool(_ENDING.match(unit)) or _makes_verb(before, unit, after)


def _makes_verb(before: str, unit: str, after: str) -> bool:
    """Whether `unit` makes a verb of the noun before it: "신청 하다", not "안 하다"."""
    if not _VERB.match(unit) or _NO_VERBS.match(unit):
        return False
    if unit == "한" and _base(after) in _COUNTERS:
        return False  # "사람 한 명"
    closed = before in _NO_VERB_AFTER or before in _PARTICLES or _ENDING.match(before)
    return not (closed or before.endswith(_NO_NOUN))


def _in_number(before: str, unit: str) -> bool:
    if (number := _NUMBER.fullmatch(unit)) is not None:
        return bool(_NUMBER.fullmatch(before)) or (before in _ONES and number[2] in _PLACES)
    if unit in _ONES and unit != "이":  # which is a particle as often
        return True
    return unit in _PLACES or _base(unit) in _COUNTERS or unit in _PARTICLES


def _base(unit: str) -> str:
    """A counter without what hangs on it; other units as they are."""
    for end in range(1, len(unit)):
        if unit[:end] in _COUNTERS and (unit[end:] in _PARTICLES or unit[end:] in _AFTER_COUNTERS):
            return unit[:end]
    return unit


def spell(unit: str, after: str) -> str:
    """Write a number as it is said before `after`; other units stay.

    Examples
    --------
    >>> spell("[17]", "일"), spell("[3]", "시에"), spell("{만}", ""), spell("[05]", "")
    ('십칠', '세', '만', '영오')
    """
    match = _NUMBER.fullmatch(unit)
    if match is None:
        return unit
    digits, name = match.groups()
    if name is not None:
        return name
    number, counter = int(digits), _base(after)
    if counter == "월" and number in _MONTHS:
        return _MONTHS[number]
    most = _MOST_HOURS if counter in _HOURS else _MOST_NATIVE
    if counter in _NATIVE_COUNTERS and 0 < number <= most:
        return _NATIVE_TENS[number // 10] + _NATIVE_ONES[number % 10]
    if digits[0] == "0" or number > 99:
        return "".join(_DIGITS[int(digit)] for digit in digits)
    tens, ones = divmod(number, 10)
    ten = ("" if tens == 1 else _DIGITS[tens]) + "십" if tens else ""
    return ten + (_DIGITS[ones] if ones else "")


def _is_hangul(letter: str) -> bool:
    return "가" <= letter <= "힣"


def _final(unit: str) -> int:
    """The place of the last syllable's final consonant among the 27; 0 for none."""
    return (ord(unit[-1]) - ord("가")) % 28 if _is_hangul(unit[-1]) else 0
