// Single keys for everything, as listed under `?`; they can be switched off (WCAG 2.1.4).

import { anyOpen, toggle } from "./dialogs.js";
import { get, step } from "./settings.js";

const SETTINGS = { t: "theme", f: "font", h: "spacing", e: "emotion", g: "language" };
const STEPS = {
  "+": ["size", 1],
  "=": ["size", 1], // the same key without Shift
  "-": ["size", -1],
  ".": ["distance", 1],
  ",": ["distance", -1],
  "]": ["lines", 1],
  "[": ["lines", -1],
};
const DIALOGS = { s: "settings", d: "text", a: "answer", q: "phone", m: "timeline", "?": "help" };
const PRESENTER_DIALOGS = { o: "room", u: "setup" };

// A text field of a window that was closed just now may still have the focus.
const TEXT_FIELDS = "textarea, input:not([type=radio], [type=checkbox])";
const typing = (element) => element?.matches(TEXT_FIELDS) && !element.closest("dialog:not([open])");

// `actions`: what a key does that is neither a setting nor a dialog, by key.
export function prepare({ actions, presenterActions, isPresenter }) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(document.activeElement)) return;
    if (!get("shortcuts") || document.body.hasAttribute("data-locked")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const presenter = isPresenter();
    const action = actions[key] ?? (presenter ? presenterActions[key] : undefined);
    const dialog = DIALOGS[key] ?? (presenter ? PRESENTER_DIALOGS[key] : undefined);
    if (key === "End" && anyOpen()) return;
    if (SETTINGS[key]) step(SETTINGS[key], 1, true);
    else if (STEPS[key]) step(...STEPS[key]);
    else if (dialog) toggle(dialog);
    else if (action && !event.repeat) action();
    else return;
    event.preventDefault();
  });
}
