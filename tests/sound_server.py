"""A virtual microphone: a private PulseAudio server whose null sink is the default source.

What is played into the sink `vmic` is what a program that records hears. It needs no sound
hardware and no rights, runs beside a desktop's own sound server, and can be killed, frozen
and restarted to see what the program does about it.

>>> with SoundServer() as server:                                  # doctest: +SKIP
...     app = subprocess.Popen([...], env={**os.environ, **server.env})
...     server.play("speech.wav")            # returns when it has been played
...     server.kill()                        # as if it had crashed
...     server.start()                       # back, at the same address
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

START_TIMEOUT_S = 60.0  # it answers within 0.3 s, but tests run beside busy neighbours
IDLE_S = 600  # without a client, then it ends: a test run that was killed leaves no server
SINK = "vmic"


def missing() -> str | None:
    """Why no sound server can be started here, or None where it can."""
    for program in ("pulseaudio", "pactl", "paplay"):
        if shutil.which(program) is None:
            return f"{program} is missing: apt-get install pulseaudio pulseaudio-utils"
    return None


class SoundServer:
    """A PulseAudio server with a folder and a socket of its own.

    Parameters
    ----------
    channels : of its microphone
    channel_map : their names, as PulseAudio writes them; by default those of loudspeakers

    Attributes
    ----------
    env : what a client needs in its environment: merge it into `os.environ`. HOME stays as it
        is, so that a program still finds its model caches there.
    """

    def __init__(self, channels: int = 1, channel_map: str = "") -> None:
        self._map = f"channel_map={channel_map}" if channel_map else ""
        self._channels = channels
        self._folder = Path(tempfile.mkdtemp(prefix="vmic-"))
        self._socket = self._folder / "native"
        self._server: subprocess.Popen | None = None
        self._players: list[subprocess.Popen] = []
        self.env = {
            "PULSE_SERVER": f"unix:{self._socket}",
            "PULSE_COOKIE": str(self._folder / "cookie"),
            "XDG_RUNTIME_DIR": str(self._folder),
        }

    def __enter__(self) -> "SoundServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether the server's process lives (it may be suspended)."""
        return self._server is not None and self._server.poll() is None

    def start(self) -> None:
        """Start the server, also again after `stop` or `kill`; return when it answers."""
        if self.running:
            return
        self._socket.unlink(missing_ok=True)  # a killed server leaves it, and the next refuses
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [
                    "pulseaudio",
                    "-n",
                    "--daemonize=no",
                    f"--exit-idle-time={IDLE_S}",
                    "--disallow-exit",
                    "--use-pid-file=no",
                    "--log-target=stderr",
                    "-L",
                    f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}",
                    # norewinds: else the first read takes up to 2 s
                    "-L",
                    f"module-null-sink sink_name={SINK} rate=48000 channels={self._channels} "
                    f"norewinds=1 {self._map}",
                ],
                env={**os.environ, **self.env, "HOME": str(self._folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        """End the server in good order, as a logout would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server at once, as a crash would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def suspend(self) -> None:
        """Freeze the server: its clients' calls hang until `resume`."""
        if self._server is None or not self.running:
            raise RuntimeError("the sound server does not run: start() it first")
        self._server.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a suspended server go on."""
        if self._server is not None and self.running:
            self._server.send_signal(signal.SIGCONT)

    def pactl(self, *words: str) -> str:
        """Give the server an order; return what it prints."""
        ran = subprocess.run(
            ["pactl", *words],
            env={**os.environ, **self.env, "LC_ALL": "C"},
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=START_TIMEOUT_S,
        )
        return ran.stdout.decode().strip()

    def add(self, sink: str, called: str, rate: int = 48_000, channels: int = 1) -> str:
        """Plug another microphone in; return what unplugs it with `pactl("unload-module", …)`.

        Its source is called "Monitor of " and what it is `called`.
        """
        return self.pactl(
            "load-module",
            "module-null-sink",
            f"sink_name={sink}",
            f"rate={rate}",
            "norewinds=1",
            f"channels={channels}",
            f"sink_properties='device.description=\"{called}\"'",
        )

    def play(
        self,
        sound: str | Path | np.ndarray,
        *,
        rate: int = 16_000,
        wait: bool = True,
        sink: str = SINK,
    ) -> subprocess.Popen:
        """Play a file, or float samples, (n,) or (n, channels), at `rate` Hz into a microphone.

        With `wait` it returns when the player is done, else at once; record on for some tenths
        of a second, for what is still in the server's buffers. Returns the player's process:
        `terminate()` it to fall silent early.
        """
        if isinstance(sound, np.ndarray):
            path = self._folder / f"play-{time.monotonic_ns()}.wav"
            soundfile.write(path, sound, rate, subtype="FLOAT")
        else:
            path = Path(sound)
        # Channels as they are, one to one, whatever they are called.
        player = subprocess.Popen(
            ["paplay", "-d", sink, "--no-remap", str(path)],
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._players.append(player)
        if wait:
            length_s = soundfile.info(path).duration
            _, errors = player.communicate(timeout=length_s + START_TIMEOUT_S)
            if player.returncode != 0:
                raise RuntimeError(f"paplay {path}: {errors.strip()}")
        return player

    def close(self) -> None:
        """Stop everything and remove the server's folder."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        for player in self._players:
            player.kill()
            player.communicate()
        self._players.clear()
        if self._server is None:
            return
        if self.running:
            self._server.send_signal(signal.SIGCONT)  # a frozen process handles no SIGTERM
            self._server.send_signal(how)
        try:
            self._server.wait(5)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None
        self._socket.unlink(missing_ok=True)

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.running:
            try:
                answer = subprocess.run(
                    ["pactl", "info"],
                    env={**os.environ, **self.env},
                    timeout=5,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                if answer.returncode == 0:
                    return
            except subprocess.TimeoutExpired:
                pass
            time.sleep(0.05)
        log = (self._folder / "log").read_text(errors="replace")
        self.kill()
        raise RuntimeError(f"PulseAudio did not start:\n{log[-2000:]}")
