// What a passer-by wants to know: that it listens, in which language, what is kept, and how to read it
// on a phone.

import { currentLanguage, setText, t } from "../words.js";

// The name of a language, in the language of the page.
function nameOf(code) {
  try {
    return new Intl.DisplayNames([currentLanguage()], { type: "language" }).of(code);
  } catch {
    return code;
  }
}

function kept({ saving, clear_after_min: minutes }) {
  if (saving) return t("about.saved");
  return minutes ? t("about.cleared", { count: minutes }) : t("about.not_saved");
}

// `state`: whether it listens now, or would after Start.
function facts(room, state) {
  const listens = t(state === "listening" ? "about.listens" : "about.ready", { language: nameOf(room.language) });
  return [listens, kept(room)];
}

// Fill what stands in `.about-room`: a list, and a square for a phone's camera.
export function show(element, room, state) {
  const list = element.querySelector("ul");
  const sentences = facts(room, state);
  while (list.children.length < sentences.length) list.append(document.createElement("li"));
  sentences.forEach((sentence, i) => setText(list.children[i], sentence));
  const url = room.reader_url;
  const figure = element.querySelector("figure");
  figure.hidden = !url;
  if (!url) return;
  const code = figure.querySelector("img");
  const source = `qr.svg?${new URLSearchParams({ for: url })}`;
  if (code.getAttribute("src") !== source) code.src = source;
  code.alt = t("phone.code", { url });
}
