"""The tests that matter most once more, in Firefox: captions come, are read and followed, settings hold."""

import pytest

# Collected here too, where `browser` is another one.
from tests.browser.test_facing import facing, test_blank_and_lost_hold_there_too  # noqa: F401
from tests.browser.test_follow import (  # noqa: F401
    test_a_hand_that_moves_the_view_by_a_hair_does_not_stop_it,
    test_whoever_scrolls_back_to_the_end_follows_again,
)
from tests.browser.test_page import (  # noqa: F401
    test_a_final_line_replaces_the_growing_one_and_is_frozen,
    test_growing_text_is_appended_in_place,
    test_the_page_follows_only_at_its_end,
)
from tests.browser.test_page_access import (  # noqa: F401
    test_arabic_is_written_from_right_to_left,
    test_axe_finds_nothing_on_the_idle_screen,
)
from tests.browser.test_page_away import (  # noqa: F401
    test_a_restart_of_the_program_keeps_what_was_said_under_a_mark,
)
from tests.browser.test_page_room import (  # noqa: F401
    test_blank_is_one_key_and_hides_every_word,
)
from tests.browser.test_page_settings import (  # noqa: F401
    test_a_hand_chooses_the_language_at_once_for_everything,
    test_a_stepper_stops_at_its_ends_and_keeps_the_focus,
    test_settings_are_one_press_away_take_effect_and_stay,
)
from tests.browser.test_wording import (  # noqa: F401
    test_each_reader_has_a_switch_where_the_room_has_it,
)
from tests.page import launch_firefox, needs_firefox, playwright_api

pytestmark = needs_firefox


@pytest.fixture(scope="module")
def browser():
    with playwright_api.sync_playwright() as playwright:
        browser = launch_firefox(playwright)
        yield browser
        browser.close()
