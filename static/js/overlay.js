// The captions alone on a transparent ground, over a picture of OBS or a projector; how they look
// stands in the address: ?lines=2&size=100&place=bottom&theme=dark&emotion=off

import * as settings from "./settings.js";

export const on = location.pathname.endsWith("/overlay");

const PLACES = ["bottom", "middle", "top"];
const DEFAULTS = { lines: "2", size: "100", theme: "dark", emotion: "off", wording: "false", translate: "off", translation: "under", loudness: "false", speakers: "false", shortcuts: "false", distance: "0" };

export function prepare() {
  if (!on) return;
  settings.fixFrom(location.search, DEFAULTS);
  const place = new URLSearchParams(location.search).get("place");
  document.documentElement.dataset.overlay = PLACES.includes(place) ? place : PLACES[0];
}
