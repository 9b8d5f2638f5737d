#!/bin/bash
# Has the captions on the whole screen at each login, macOS: double-click it. "remove" takes it back.
cd "$(dirname "$0")/.." && exec ./start.command "kiosk-${1:-install}"
