// The captions alone on a transparent ground, over a picture of OBS or a projector; how they look
// stands in the address: ?lines=2&size=100&place=bottom&theme=dark&emotion=off

import * as settings from "./settings.js";

export const on = location.pathname.endsWith("/overlay");

const PLACES = ["bottom", "middle", "top"];
const DEFAULTS = { lines: "2", size: "100", theme: "dark", emotion: "off", loudness: "false", shortcuts: "false", distance: "0" };

// A value of the setting that is written so, or the one that is usual here.
function valueOf(name, written) {
  const values = settings.VALUES[name];
  return values.find((value) => String(value) === written) ?? values.find((value) => String(value) === DEFAULTS[name]);
}

export function prepare() {
  if (!on) return;
  const asked = new URLSearchParams(location.search);
  for (const name of Object.keys(DEFAULTS)) settings.fix(name, valueOf(name, asked.get(name)));
  const { dataset } = document.documentElement;
  dataset.overlay = PLACES.includes(asked.get("place")) ? asked.get("place") : PLACES[0];
}
