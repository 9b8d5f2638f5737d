// Settings for what only some rooms have are offered once it has come.

import { speakerOf } from "./parts.js";

const KINDS = {
  speakers: ({ tags }) => speakerOf(tags ?? {}),
  sounds: ({ sound }) => sound,
};

// What words say has a place of its own on every line, from the beginning.
export function setRoom({ text_emotion: words }) {
  document.body.toggleAttribute("data-wording", Boolean(words));
  for (const place of document.querySelectorAll('[data-once="wording"]')) place.hidden = !words;
}

// Take a `caption` event.
export function take(event) {
  for (const [name, comes] of Object.entries(KINDS)) {
    if (!comes(event)) continue;
    delete KINDS[name];
    for (const place of document.querySelectorAll(`[data-once="${name}"]`)) place.hidden = false;
  }
}
