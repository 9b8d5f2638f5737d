// What a passer-by wants to know: that it listens, in which language, what is kept, and how to read it
// on a phone.

import { languageName, setText, t } from "../words.js";

function kept({ saving, clear_after_min: minutes }) {
  if (saving) return t("about.saved");
  return minutes ? t("about.cleared", { count: minutes }) : t("about.not_saved");
}

// `state`: whether it listens now, or would after Start.
function facts(room, state) {
  const listens = t(state === "listening" ? "about.listens" : "about.ready", { language: languageName(room.language) });
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
