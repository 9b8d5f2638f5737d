"""Which formats of sound and video are read, and what each of them tells, by FFmpeg's names."""

# What FFmpeg is let to read. None of these opens another file or an address, as playlists do.
FORMATS = (
    "aac",
    "ac3",
    "aiff",
    "amr",
    "ape",
    "asf",
    "au",
    "avi",
    "caf",
    "dsf",
    "dts",
    "eac3",
    "flac",
    "flv",
    "ircam",
    "matroska",
    "mov",
    "mp3",
    "mpc",
    "mpc8",
    "mpeg",
    "mpegts",
    "nistsphere",
    "ogg",
    "tak",
    "tta",
    "voc",
    "w64",
    "wav",
    "wv",
)
# Those whose length is written down, and not guessed from the size and the first bit rate.
TELL_LENGTH = {
    "aiff",
    "ape",
    "asf",
    "au",
    "avi",
    "caf",
    "dsf",
    "flac",
    "matroska",
    "mov",
    "ogg",
    "tak",
    "tta",
    "w64",
    "wav",
    "wv",
}
# By how much less than that is a missing end, or a piece that is lost: formats that count each
# sample, and those that count what encoders put before and behind the sound as well. The others
# know only how many bytes they have.
MISSING_S = dict.fromkeys(("aiff", "ape", "dsf", "flac", "tak", "tta", "wv"), 0.05)
MISSING_S |= dict.fromkeys(("mp3", "ogg"), 0.3)
BYTES_TOLD = ("asf", "au", "caf", "nistsphere", "w64", "wav")  # by which their length is known
KNOWN = "give a recording or video that FFmpeg reads, such as WAV, FLAC, MP3, M4A, WebM or MP4"
# Where a track begins late or leaves silence out (video, voices over the internet), times go on.
# Elsewhere the times of frames are worked out from others, and may be wrong.
TIMED = {"asf", "avi", "flv", "matroska", "mov", "mpeg", "mpegts"}
