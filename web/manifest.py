"""The web app manifest: by it a browser installs the page as an app, in the page's language.

There is no service worker: nothing of the page or of what was said is kept on a device, and
browsers install an app without one.
"""

from flask import Flask, Response, abort, jsonify, request

from web.words import words

PAGES = ("", "read", "facing", "overlay")  # an app opens at the page that it was installed from
GROUND = "#0b0c0f"  # of the page, dark, while it opens
# Beside the manifest, so that all of it holds below any path of a proxy.
ICONS = (
    {"src": "static/favicon.svg", "sizes": "any", "type": "image/svg+xml"},
    {"src": "static/icons/icon-192.png", "sizes": "192x192", "type": "image/png"},
    {"src": "static/icons/icon-512.png", "sizes": "512x512", "type": "image/png"},
    {
        "src": "static/icons/icon-maskable-512.png",
        "sizes": "512x512",
        "type": "image/png",
        "purpose": "maskable",
    },
)


def add_manifest(app: Flask) -> None:
    """Serve the manifest; `?language=` and `?page=` say for which page it is."""

    @app.get("/app.webmanifest")
    def manifest() -> Response:
        code, page = request.args.get("language", "en"), request.args.get("page", "")
        of_page = words(code)
        if of_page is None or page not in PAGES:
            abort(404)
        response = jsonify(
            {
                "name": of_page["page.title"],
                "short_name": of_page["app.short"],
                "description": of_page["app.description"],
                "lang": code,
                "dir": of_page.get("language.direction", "ltr"),
                "start_url": f"./{page}",
                "scope": "./",
                "display": "standalone",
                "background_color": GROUND,
                "theme_color": GROUND,
                "categories": ["accessibility", "utilities"],
                "icons": ICONS,
            }
        )
        response.mimetype = "application/manifest+json"
        return response
