"""The whole program: speech played into a real microphone comes out as words on a real page."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.hub_server import NAME, REPO, HubServer
from tests.lasting import until
from tests.program import PATIENCE_S, Program
from tests.sound_server import SoundServer
from tests.translation_models import make_opus

pytestmark = [pytest.mark.browser, pytest.mark.sound_server]

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET_CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DIGITS = SPEECH.with_name("digits.flac")
DIGITS_MODEL = Path(__file__).resolve().parents[2] / "model_state_dict" / "spoken_digits.nemo"
WORDS = SPEECH.with_suffix(".txt").read_text().lower().split()
LAST_WORD = re.compile(r"\b(me|nee)", re.IGNORECASE)  # "meet", or "need" for it
FRENCH = "Moderne."  # what a small model says of them, with whatever Whisper puts in between


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no browser: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET_CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def program(sound_server: SoundServer) -> Iterator[Program]:
    with Program(["--asr", "whisper"], sound_server.env) as running:
        yield running
    assert running.process.returncode == 0
    assert "Traceback" not in running.errors
    assert "ALSA" not in running.errors and "jack" not in running.errors.lower()


@pytest.fixture
def digits_program(sound_server: SoundServer) -> Iterator[Program]:
    """The program with the NeMo model that ships; Whisper listens until it is loaded."""
    with Program(["--asr", "nemo", "--model", DIGITS_MODEL], sound_server.env) as running:
        yield running
    assert running.process.returncode == 0
    assert "Traceback" not in running.errors


@pytest.fixture
def translating_program(sound_server: SoundServer, models_here: Path) -> Iterator[Program]:
    """The program with a model that knows two lines, and one word of French for each."""
    make_opus(models_here / "en-fr", {" ".join(WORDS[:10]): FRENCH, "one two": "Deux."})
    arguments = ["--asr", "whisper", "--no-emotion", "--translate", "fr"]
    with Program(arguments, sound_server.env) as running:
        yield running
    assert running.process.returncode == 0
    assert "Traceback" not in running.errors


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    program = request.getfixturevalue(getattr(request, "param", "program"))
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    context.set_default_timeout(PATIENCE_S * 1000)
    expect.set_options(timeout=PATIENCE_S * 1000)
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))

    def look(message: ConsoleMessage) -> None:
        # A program that has ended cannot be connected to, and Chromium logs each attempt.
        if message.type == "error" and "ERR_CONN" not in message.text:
            problems.append(message.text)

    opened.on("console", look)
    opened.goto(program.link())
    yield opened
    context.close()
    assert not problems


def finals(page: Page) -> list[str]:
    return page.locator("li.caption").all_inner_texts()


def heard(page: Page) -> float:
    """Share of the sentence's words that are on the page."""
    said = set(re.findall(r"[a-z']+", " ".join(finals(page)).lower()))
    return len(said & set(WORDS)) / len(set(WORDS))


def check_growth(page: Page) -> None:
    """The growing text, which KEEP_GROWING_TEXT has kept, only went forwards."""
    grown = page.evaluate("window.grown")
    assert len(grown) >= 2  # in several steps
    steps = zip(grown, grown[1:], strict=False)
    assert all(after.startswith(before) for before, after in steps if after)


def listen(page: Page) -> None:
    """Press the button, and wait until what is said is heard from its first word on."""
    page.locator("#record").click()
    expect(page.locator("#status")).to_have_attribute("data-state", "listening")


def say(page: Page, sound_server: SoundServer) -> list[str]:
    """Play the sentence and wait for its lines; return all lines."""
    lines = page.locator("li.caption")
    before = lines.count()
    sound_server.play(SPEECH)
    expect(lines.nth(before)).to_be_visible()
    # It pauses once, so there may be two lines; of the last word its beginning is heard at least.
    expect(lines.last).to_contain_text(LAST_WORD)
    expect(page.locator("#live")).to_be_empty()
    return finals(page)


def watch_growing(page: Page) -> None:
    """Keep every text that the growing line has from now on, one after the other.

    It has "" where it became a finished line, which may be soon on a machine that falls behind.
    """
    page.evaluate(KEEP_GROWING_TEXT)


def wait_for_growing(page: Page) -> None:
    """Wait until a text has grown since."""
    page.wait_for_function("() => window.grown.some((text) => text)")


def test_speech_into_the_microphone_becomes_words_with_emotion(page, program, sound_server):
    record = page.locator("#record")
    expect(record).to_be_enabled()
    expect(record).to_have_attribute("aria-pressed", "false")
    listen(page)
    expect(record).to_have_attribute("aria-pressed", "true")

    watch_growing(page)
    playing = sound_server.play(SPEECH, wait=False)
    wait_for_growing(page)
    assert playing.poll() is None, "words appear only after the sentence has ended"
    playing.wait()
    expect(page.locator("#lines")).to_contain_text("probably")
    first = page.locator("li.caption").first
    assert "I can assure you that this is a modern face" in " ".join(first.inner_text().split())
    assert heard(page) >= 0.9  # "need" for "meet", where it pauses so long that it makes two lines
    check_growth(page)
    # An emotion of the model's six or, where it is not sure, none.
    assert first.get_attribute("data-emotion") in {
        "",
        "neutral",
        "happy",
        "sad",
        "angry",
        "fear",
        "disgust",
    }

    record.click()
    expect(page.locator("#status")).to_have_attribute("data-state", "ready")
    expect(record).to_have_attribute("aria-pressed", "false")


@pytest.mark.nemo
@pytest.mark.parametrize("page", ["digits_program"], indirect=True)
def test_nemo_shows_words_while_they_are_spoken(page, digits_program, sound_server):
    listen(page)
    expect(page.locator("#engine")).to_contain_text("NeMo spoken_digits")  # took over meanwhile

    watch_growing(page)
    playing = sound_server.play(DIGITS, wait=False)
    wait_for_growing(page)
    assert playing.poll() is None, "words appear only after the last has been said"
    playing.wait()
    said = DIGITS.with_suffix(".txt").read_text().split()

    def right() -> list[str]:
        heard = re.findall("[a-z]+", " ".join(finals(page)).lower())
        return [word for word in heard if word in said]

    until(lambda: len(right()) >= 0.6 * len(said), "the digits")  # on one line or more
    expect(page.locator("#live")).to_be_empty()
    check_growth(page)


@pytest.fixture
def fetching_program(sound_server: SoundServer, hub: HubServer) -> Iterator[Program]:
    """The program as it starts by itself, with a hub that has the NeMo model that ships."""
    hub.files[f"{REPO}/{NAME}.nemo"] = DIGITS_MODEL.read_bytes()
    with Program(["--no-emotion"], sound_server.env) as running:
        yield running
    assert running.process.returncode == 0
    assert "Traceback" not in running.errors


@pytest.mark.nemo
@pytest.mark.parametrize("page", ["fetching_program"], indirect=True)
def test_a_press_fetches_what_is_offered_while_captions_go_on(page, fetching_program, sound_server):
    engine, button = page.locator("#engine"), page.locator("#offer-fetch")
    expect(engine).to_have_text("Whisper tiny.en")
    listen(page)
    say(page, sound_server)
    button.click()
    expect(engine).to_have_text(f"NeMo {NAME}")
    expect(button).to_be_hidden()
    expect(page.locator("#status")).to_have_attribute("data-state", "listening")
    before = page.locator("li.caption").count()
    sound_server.play(DIGITS)
    expect(page.locator("li.caption").nth(before)).to_contain_text("five")


# Every text that the growing line had, one after the other; "" where it became a finished line.
KEEP_GROWING_TEXT = """() => {
  window.grown = [];
  const live = document.querySelector("#live");
  new MutationObserver(() => {
    const text = live.textContent.trim();
    if (text !== window.grown.at(-1)) window.grown.push(text);
  }).observe(live, { subtree: true, childList: true, characterData: true });
}"""


def test_an_emotion_tag_is_shown_for_clearly_acted_speech(page, sound_server):
    angry = SPEECH.with_name("angry.flac")
    listen(page)
    sound_server.play(angry)
    line = page.locator("li.caption[data-emotion=angry]")
    expect(line).to_be_visible()
    expect(line).to_contain_text("angry")


def test_a_dog_that_barks_is_told_in_brackets_and_speech_after_it_in_words(page, sound_server):
    listen(page)
    sound_server.play(SPEECH.with_name("dog.ogg"), wait=False)
    bark = page.locator("[data-sound]")
    expect(bark).to_have_text("[dog barking]")
    say(page, sound_server)
    assert finals(page)[0] == "[dog barking]"
    expect(bark).to_have_count(1)  # told once, however often it barked
    expect(page.locator("#lines")).to_contain_text("modern face")


@pytest.mark.parametrize("page", ["translating_program"], indirect=True)
def test_what_is_spoken_stands_below_its_words_in_the_reader_s_language(
    page, translating_program, sound_server
):
    expect(page.locator("#record")).to_be_enabled()
    page.keyboard.press("s")
    page.get_by_role("radio", name="français", exact=True).check()
    page.keyboard.press("Escape")
    listen(page)
    say(page, sound_server)
    line = page.locator("li.caption").first
    below = line.locator(".translation")
    expect(line).to_contain_text("modern face")
    expect(below).to_have_text(FRENCH)
    expect(below).to_have_attribute("lang", "fr")


def test_stop_shows_the_tail_of_what_was_said(page, sound_server):
    listen(page)
    watch_growing(page)
    playing = sound_server.play(SPEECH, wait=False)
    wait_for_growing(page)
    page.locator("#record").click()
    expect(page.locator("#status")).to_have_attribute("data-state", "ready")
    expect(page.locator("li.caption").first).to_be_visible()
    expect(page.locator("#live")).to_be_empty()
    playing.terminate()


def test_a_reload_and_a_second_browser_show_the_running_session(
    page, program, browser, sound_server
):
    listen(page)
    before = say(page, sound_server)
    page.reload()
    expect(page.locator("li.caption")).to_have_count(len(before))
    assert finals(page) == before
    expect(page.locator("#record")).to_have_attribute("aria-pressed", "true")
    with browser.new_context() as other:
        second = other.new_page()
        second.goto(program.link())
        expect(second.locator("li.caption")).to_have_count(len(before))
        assert finals(second) == before
        # Whoever presses, both see it.
        second.locator("#record").click()
        expect(page.locator("#record")).to_have_attribute("aria-pressed", "false")


def test_a_killed_sound_server_shows_lost_and_recovers(page, sound_server):
    listen(page)
    before = say(page, sound_server)
    sound_server.kill()
    expect(page.locator("#status")).to_have_attribute("data-state", "lost")
    expect(page.locator("#alert")).not_to_be_empty()
    assert finals(page) == before
    sound_server.start()
    expect(page.locator("#status")).to_have_attribute("data-state", "listening")
    expect(page.locator("#alert")).to_be_empty()
    after = say(page, sound_server)
    assert after[: len(before)] == before and len(after) > len(before)


def test_a_restarted_program_is_found_again_and_what_was_said_stays(page, program, sound_server):
    listen(page)
    before = say(page, sound_server)
    program.process.terminate()
    program.process.wait()
    expect(page.locator("#record")).to_be_disabled()
    expect(page.locator("#alert")).not_to_be_empty()
    assert finals(page) == before
    with Program(["--asr", "whisper"], sound_server.env, program.port, program.home):
        expect(page.locator("#record")).to_be_enabled()
        expect(page.locator("#lines .mark")).to_have_count(1)
        assert finals(page) == before
        expect(page.locator("#alert")).to_be_empty()
