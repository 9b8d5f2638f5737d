// The words in another language: which a reader wants, of those that the room has, and where they stand.

import { get, offer } from "./settings.js";
import { languageName } from "./words.js";

let offered = [];

const letters = (language) => language.split("-")[0].toLowerCase();

// The language whose translation is shown; "" for none. Who chose nothing gets the device's own.
export function language() {
  const chosen = get("translate");
  if (chosen === "auto") return offered.find((code) => code === letters(navigator.language)) ?? "";
  return offered.includes(chosen) ? chosen : "";
}

// What a line is in that language; "" where it is not known.
export function translated({ translation } = {}) {
  const text = language() && Object.hasOwn(Object(translation), language()) ? translation[language()] : "";
  return typeof text === "string" ? text.trim() : "";
}

export const instead = () => get("translation") === "instead";

// The room's languages; tell whether they are others now.
export function setRoom(languages) {
  const codes = Array.isArray(languages) ? languages.filter((code) => /^[a-z]{2,3}$/.test(code)) : [];
  if (String(codes) === String(offered)) return false;
  offered = codes;
  offer("translate", codes);
  for (const place of document.querySelectorAll('[data-once="translation"]')) place.hidden = !codes.length;
  const choices = document.querySelector('[data-choice="translate"] .choices');
  for (const old of choices.querySelectorAll("[data-offered]")) old.remove();
  choices.append(...codes.map(choice));
  return true;
}

function choice(code) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  const name = document.createElement("span");
  label.dataset.offered = code;
  Object.assign(input, { type: "radio", name: "translate", value: code });
  Object.assign(name, { lang: code, dir: "auto", textContent: languageName(code, code) }); // as those who speak it call it
  label.append(input, name);
  return label;
}
