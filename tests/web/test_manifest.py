"""The web app manifest: in the page's language, with icons that are there, below any path."""

import io
from pathlib import Path
from urllib.parse import urljoin

import pytest
from flask import Flask
from PIL import Image

from web.manifest import PAGES, add_manifest
from web.words import languages, words

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("https://captions.example/", "https://captions.example/hall/")


@pytest.fixture
def client():
    app = Flask(__name__, root_path=str(ROOT))
    add_manifest(app)
    return app.test_client()


@pytest.mark.parametrize("code", sorted(languages()))
@pytest.mark.parametrize("page", PAGES)
def test_it_is_in_the_language_of_the_page_and_opens_that_page(client, code, page):
    answer = client.get(f"/app.webmanifest?language={code}&page={page}")
    assert answer.mimetype == "application/manifest+json"
    manifest = answer.json
    assert manifest["lang"] == code and manifest["name"] == words(code)["page.title"]
    assert len(manifest["short_name"]) <= 12 and manifest["description"]
    for place in PLACES:
        at = urljoin(place, "app.webmanifest")
        assert urljoin(at, manifest["scope"]) == place
        assert urljoin(at, manifest["start_url"]) == f"{place}{page}"


def test_each_icon_is_there_in_its_size_and_lies_beside_the_manifest(client):
    icons = client.get("/app.webmanifest").json["icons"]
    for icon in icons:
        with client.get(urljoin("/app.webmanifest", icon["src"])) as answer:
            picture = answer.data
        assert answer.status_code == 200 and answer.mimetype == icon["type"]
        assert not icon["src"].startswith("/")
        if icon["sizes"] != "any":
            width, height = Image.open(io.BytesIO(picture)).size
            assert icon["sizes"] == f"{width}x{height}"
    wanted = {(icon["sizes"], icon.get("purpose", "any")) for icon in icons}
    assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")} <= wanted


@pytest.mark.parametrize("query", ["language=xx", "page=../metrics", "language=../../x"])
def test_no_other_language_or_page_is_taken(client, query):
    assert client.get(f"/app.webmanifest?{query}").status_code == 404
