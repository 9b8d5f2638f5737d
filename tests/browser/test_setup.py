"""The set-up as a newcomer meets it: a real browser, the real program, a real sound server."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.browser.test_page_access import problems, walk
from tests.captions.test_hum import hum, noise, voice
from tests.command_line.test_app import SPEECH
from tests.hub_server import CONTENT, NAME, REPO
from tests.page import WORDS, expect, needs_chromium
from tests.program import PATIENCE_S, Program
from utils.audio import SAMPLE_RATE, load

pytestmark = [*needs_chromium, pytest.mark.sound_server]

EN = WORDS["en"]
STEPS = ("microphone", "language", "room")
SIZES = {(1920, 1080): 64, (1366, 768): 44, (390, 844): 44, (320, 256): 44}
SMALL = """(target) => [...document.querySelectorAll("#setup button, #setup .choices label, #setup .switch, #setup select, #setup summary, #setup input[type=text]")]
    .filter((e) => e.checkVisibility()).map((e) => [e.outerHTML.slice(0, 99), e.getBoundingClientRect()])
    .filter(([, box]) => Math.min(box.width, box.height) < target - 0.5)"""


@pytest.fixture
def program(sound_server, models_here):
    with Program(["--no-emotion"], sound_server.env, fresh=True) as running:
        running.wait_for("ready")
        yield running
    assert running.process.returncode == 0 and "Traceback" not in running.errors


@pytest.fixture
def visit(browser):
    """Opens an address in a browser of its own; ends with the test, which no error may disturb."""
    contexts, errors = [], []

    def visit(address: str, **options):
        context = browser.new_context(**({"viewport": {"width": 1920, "height": 1080}} | options))
        context.set_default_timeout(PATIENCE_S * 1000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not errors


class Touches:
    """Presses what a newcomer presses, and counts it."""

    def __init__(self, page) -> None:
        self.page, self.count = page, 0

    def __call__(self, place: str) -> None:
        self.page.locator(place).click()
        self.count += 1


def step(page, name: str) -> None:
    page.locator(f'[data-step="{name}"]').click()
    expect(page.locator(f"#setup-{name}")).to_be_visible()
    if name == "language":
        expect(page.locator("#setup-models li")).not_to_have_count(0)
    if name == "microphone":
        expect(page.locator("#setup-devices label")).not_to_have_count(1)


def test_a_newcomer_sees_words_after_one_touch_and_live_ones_after_four(
    visit, program, sound_server
):
    page = visit(program.link())
    touch = Touches(page)
    expect(page.locator("#setup")).to_be_visible()
    touch("#setup-try")
    expect(page.locator("#setup-trial-how")).to_have_text(EN["setup.trial.say"])
    sound_server.play(SPEECH)
    expect(page.locator("#setup-words")).to_contain_text("face")
    expect(page.locator("#setup-said")).to_have_text(EN["setup.trial.well"])
    expect(page.locator("#lines li")).to_have_count(0)
    assert touch.count == 1
    for _ in STEPS:
        touch("#setup-next")
    expect(page.locator("#setup")).to_be_hidden()
    expect(page.locator("body")).to_have_attribute("data-state", "listening")
    sound_server.play(SPEECH)
    expect(page.locator("#lines")).to_contain_text("face")
    assert touch.count <= 5
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-state", "listening")
    expect(page.locator("#setup")).to_be_hidden()  # never again


def test_who_skips_is_never_greeted_again_and_a_reader_never_was(visit, program):
    reader = visit(program.url)
    expect(reader.locator("#hint-more")).to_have_text(EN["hint.more.own"])
    expect(reader.locator("#setup")).to_be_hidden()
    reader.keyboard.press("u")
    expect(reader.locator("#setup")).to_be_hidden()
    expect(reader.locator('[data-opens="setup"]').first).to_be_hidden()
    first, second = visit(program.link()), visit(program.link())
    for page in (first, second):
        expect(page.locator("#setup")).to_be_visible()
    first.locator("#setup-skip").click()
    expect(first.locator("#setup")).to_be_hidden()
    expect(second.locator("#setup")).to_be_hidden()  # somebody else has seen to it
    first.reload()
    expect(first.locator("#record")).to_be_enabled()
    expect(first.locator("#setup")).to_be_hidden()
    first.keyboard.press("s")
    first.locator('#settings [data-opens="setup"]').click()  # and yet it is there
    expect(first.locator("#setup")).to_be_visible()
    expect(first.locator("#setup-skip")).to_be_hidden()
    first.keyboard.press("Escape")
    expect(first.locator("#setup")).to_be_hidden()


def test_every_step_is_for_everyone(visit, program):
    page = visit(program.link(), color_scheme="light")
    expect(page.locator("#setup-title")).to_be_focused()
    for size, target in SIZES.items():
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for name in STEPS:
            step(page, name)
            assert page.evaluate(SMALL, target) == [], (size, name)
            assert problems(page) == [], (size, name)
            content = page.locator("#setup .content")
            assert content.evaluate("e => e.scrollWidth - e.clientWidth") <= 0, (size, name)
            expect(page.locator("#setup-next")).to_be_in_viewport()
    page.set_viewport_size({"width": 1366, "height": 768})
    for name in STEPS:
        step(page, name)
        walk(page, "#setup")


def humming() -> np.ndarray:
    """Hum that cannot be taken away, under a voice."""
    sound = voice() + noise(-70) + hum(50.12, -20)
    return np.tile(sound, 3).astype(np.float32)


def clipped(times: int) -> np.ndarray:
    return np.clip(np.tile(load(SPEECH), times) * 30, -0.5, 0.5).astype(np.float32)


@pytest.mark.parametrize(
    ("sound", "said"),
    [
        (np.zeros(SAMPLE_RATE, np.float32), "gives no sound at all"),
        (humming(), "hums loudly"),
        (clipped(3), "loud words are cut off"),
        (
            np.random.default_rng(0).normal(0, 1e-3, 15 * SAMPLE_RATE).astype(np.float32),
            "no speech is heard",
        ),
    ],
    ids=["silent", "hum", "clipping", "quiet"],
)
def test_what_is_wrong_with_a_microphone_is_said_in_words(
    visit, program, sound_server, sound, said
):
    page = visit(program.link())
    page.locator("#setup-try").click()
    expect(page.locator("#setup-trial-how")).to_have_text(EN["setup.trial.say"])
    sound_server.play(sound, wait=False)
    expect(page.locator("#setup-said")).to_contain_text(said)
    expect(page.locator("#setup-said")).to_have_attribute("data-bad", "")
    page.locator("#setup-skip").click()


def test_without_a_microphone_it_says_so_and_one_that_is_plugged_in_appears(
    visit, program, sound_server
):
    for module in sound_server.pactl("list", "short", "modules").splitlines():
        if "null-sink" in module:
            sound_server.pactl("unload-module", module.split()[0])
    page = visit(program.link())
    expect(page.locator("#setup-no-device")).to_have_text(EN["setup.microphone.none"])
    page.locator("#setup-try").click()
    expect(page.locator("#setup-said")).to_contain_text("No sound")
    sound_server.add("desk", "Desk <b>")
    label = page.locator("#setup-devices label").filter(has_text="Desk <b>").last
    expect(label).to_be_visible()
    expect(page.locator("#setup-no-device")).to_have_text("")
    label.click()
    expect(page.locator('[data-origin="microphone"]')).to_have_text(EN["setup.origin.file"])
    expect(page.locator("#setup-said")).to_have_text("")
    expect(page.locator("#setup-trial-how")).to_have_text(EN["setup.trial.say"])
    sound_server.play(SPEECH, sink="desk")
    expect(page.locator("#setup-words")).to_contain_text("face")


def test_a_language_and_its_recogniser_fetched_paused_and_given_up(visit, sound_server, hub):
    hub.files[f"{REPO}/{NAME}.nemo"] = CONTENT
    hub.rate = 500_000
    with Program(["--no-emotion"], sound_server.env, fresh=True) as program:
        program.wait_for("ready")
        page = visit(program.link())
        step(page, "language")
        item = page.locator(f'#setup-models li[data-name="{NAME}"]')
        expect(item).to_contain_text("460 MB to fetch")
        item.locator("[data-act=get]").click()
        expect(item).to_contain_text(re.compile(r"[12] of 3 MB are here"))
        item.locator("[data-act=pause]").click()
        expect(item.locator("[data-act=get]")).to_have_text(EN["setup.model.go_on"])
        hub.rate = 50_000  # so that it is not all here before the next press
        item.locator("[data-act=get]").click()
        expect(item.locator("[data-act=pause]")).to_be_visible()
        item.locator("[data-act=cancel]").click()
        expect(item.locator("[data-act=get]")).to_have_text(EN["setup.model.get"])
        assert any(begun for begun in hub.ranges())  # it went on where it was
        page.locator("#setup-more").select_option("de")
        expect(page.locator("#setup-deaf")).to_contain_text("German")
        page.locator("#setup-languages label").filter(has_text="English").click()
        expect(page.locator("#setup-deaf")).to_have_text("")
        own = page.locator('#setup-models li[data-name="tiny.en"]')
        own.locator("[data-act=measure]").click()
        expect(own).to_contain_text("s of work for a second of speech")
        own.locator("[data-act=use]").click()
        expect(own.locator("[data-act=use]")).to_have_text(EN["setup.model.chosen"])


def test_what_is_set_at_the_start_says_by_what_and_cannot_be_changed(visit, sound_server, tmp_path):
    environment = {**sound_server.env, "CAPTIONS_LISTEN": "0"}
    arguments = ["--no-emotion", "--clear-after", "15", "--language", "en"]
    with Program(arguments, environment, fresh=True) as program:
        program.wait_for("ready")
        page = visit(program.link())
        step(page, "language")
        expect(page.locator("#setup-languages input").first).to_be_disabled()
        step(page, "room")
        for name, by in (("listen", "CAPTIONS_LISTEN"), ("clear_after", "--clear-after")):
            expect(page.locator(f'[data-setting="{name}"]').first).to_be_disabled()
            expect(page.locator(f'[data-origin="{name}"]')).to_contain_text(by)
        page.locator('[data-setting="room"]').fill("Hall <i>2</i>")
        page.keyboard.press("Enter")
        expect(page.locator("#room-name")).to_have_text("Hall <i>2</i>")
        expect(page.locator('[data-origin="room"]')).to_have_text(EN["setup.origin.file"])
        file = Path(page.locator("#setup-file").inner_text())
        assert 'room = "Hall <i>2</i>"' in file.read_text()
        reader = visit(program.url)
        expect(reader.locator("#room-name")).to_have_text("Hall <i>2</i>")
        page.locator("#setup .close").click()
