// Words that offend, which may also have been misheard: as they are, their first letter, or hidden.
// Which words these are the server knows (utils/captions/offending.py).

import { get } from "./settings.js";
import { currentLanguage } from "./words.js";

const STARS = "***";
const SHORTENED = {
  first: (word) => [...word][0] + STARS,
  hidden: () => STARS,
};

let asTheRoom = "off";
let pattern = null;
let asked = null;

export const choice = () => (get("offending") === "room" ? asTheRoom : get("offending"));

// The presenter's choice, for readers who made none of their own.
export function setRoom(how) { asTheRoom = how ?? "off"; }

// Fetch the words where they are needed and not here yet; tell whether they came now.
export async function fetchWords() {
  if (choice() === "off" || pattern) return false;
  asked ??= fetch("offending").then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
  const found = await asked;
  asked = null;
  if (!found) return false;
  pattern = new RegExp(found.pattern, "giu");
  return true;
}

export function mask(text) {
  const shorten = pattern && SHORTENED[choice()];
  return shorten ? text.normalize().replace(pattern, (found) => found.replace(/\S+/gu, shorten)) : text;
}

// Files that are taken along are as the page is, in its language, too.
export function link() {
  const asked = new URLSearchParams();
  if (get("offending") !== "room") asked.set("words", get("offending"));
  if (currentLanguage() !== "en") asked.set("language", currentLanguage());
  for (const file of document.querySelectorAll("a[download]")) {
    const [address] = file.getAttribute("href").split("?");
    file.setAttribute("href", [address, String(asked)].filter(Boolean).join("?"));
  }
}
