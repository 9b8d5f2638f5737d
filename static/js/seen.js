// Settings for what only some rooms have are offered once it has come.

import { speakerOf } from "./parts.js";

const KINDS = {
  speakers: ({ tags }) => speakerOf(tags ?? {}),
  sounds: ({ sound }) => sound,
};

// Take a `caption` event.
export function take(event) {
  for (const [name, comes] of Object.entries(KINDS)) {
    if (!comes(event)) continue;
    delete KINDS[name];
    for (const place of document.querySelectorAll(`[data-once="${name}"]`)) place.hidden = false;
  }
}
