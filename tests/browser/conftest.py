"""The fixtures of all tests of the page: a browser, a small server, and a page that is open."""

from tests.page import browser, open_page, page, server  # noqa: F401 - fixtures
