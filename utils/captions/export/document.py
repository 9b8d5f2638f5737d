"""Captions as a document for a word processor (Office Open XML, ISO/IEC 29500)."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from utils.language import two_letters

# As word processors name the languages that captions come in; others keep their own code.
LANGUAGES = {"en": "en-US", "ko": "ko-KR"}
EAST_ASIAN = ("ja", "ko", "zh")  # for letters of these a document has an attribute of its own
KOREAN_FONT = "Malgun Gothic"
NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
NO_XML = dict.fromkeys((0xFFFE, 0xFFFF))  # letters that XML cannot hold, beside control characters
QUIET = '<w:color w:val="595959"/>'  # 7:1 on white


def paragraph(clock: str, marks: Iterable[str], words: str, language: str = "en") -> str:
    """A line: its time, what is known of it besides in quieter letters, and its words.

    Parameters
    ----------
    clock : such as 01:05
    marks : such as [sad]; a name ends in a colon
    words : what was said; empty for a sound
    language : of the marks, as an ISO 639-1 code
    """
    own = LANGUAGES.get(language, language)
    runs = [_run(f"{clock}\t", QUIET, own)]
    for mark in marks:
        look = "<w:b/>" if mark.endswith(":") else f"<w:i/>{QUIET}"
        runs.append(_run(f"{mark} ", look, "" if mark.endswith(":") else own))
    return f"<w:p>{''.join(runs)}{_run(words, '')}</w:p>\n"


def translated(words: str, language: str) -> str:
    """What was said in another language: under the line, in quieter letters."""
    return f"<w:p>{_run(chr(9), '')}{_run(words, QUIET, LANGUAGES.get(language, language))}</w:p>\n"


def _run(text: str, look: str, language: str = "") -> str:
    """Letters of one look; what is in another language than the speech says so."""
    if language:
        language = f'<w:lang w:val="{language}" w:eastAsia="{language}"/>'
    text = escape(text.translate(NO_XML)).replace("\t", '</w:t><w:tab/><w:t xml:space="preserve">')
    look = f"<w:rPr>{look}{language}</w:rPr>"
    return f'<w:r>{look}<w:t xml:space="preserve">{text}</w:t></w:r>'


def document(paragraphs: Iterable[bytes], language: str) -> bytes:
    """A whole document.

    Parameters
    ----------
    paragraphs : as `paragraph` makes them, in UTF-8
    language : of the speech, as an ISO 639-1 code
    """
    # imported here, as most who run the program never ask for a document
    import docx
    from docx.oxml import parse_xml
    from docx.shared import Cm

    made = docx.Document()
    _set_language(made, language)
    hanging = made.styles["Normal"].paragraph_format
    hanging.left_indent, hanging.first_line_indent = Cm(2), Cm(-2)
    hanging.tab_stops.add_tab_stop(Cm(2))
    body = b"".join(paragraphs)
    found = parse_xml(f'<w:body xmlns:w="{NAMESPACE}">'.encode() + body + b"</w:body>")
    end = made.element.body.sectPr
    for line in list(found):
        end.addprevious(line)
    about = made.core_properties
    about.author, about.title, about.comments = "", "Captions", ""
    about.language = LANGUAGES.get(two_letters(language), language)
    about.created = about.modified = datetime.now(UTC)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def _set_language(made, language: str) -> None:  # type: ignore[no-untyped-def]  # docx has no types
    """Tell proofing tools and screen readers what is spoken, and letters fit for it."""
    from docx.oxml.ns import qn

    name = LANGUAGES.get(two_letters(language), language)
    defaults = made.styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault"))
    looks = defaults.find(qn("w:rPr"))
    spoken = looks.find(qn("w:lang"))
    spoken.set(qn("w:val"), name)
    if two_letters(language) in EAST_ASIAN:
        spoken.set(qn("w:eastAsia"), name)
    if two_letters(language) == "ko":
        fonts = looks.find(qn("w:rFonts"))
        fonts.attrib.pop(qn("w:eastAsiaTheme"), None)
        fonts.set(qn("w:eastAsia"), KOREAN_FONT)
