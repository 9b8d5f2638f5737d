// What stands on a line besides its words and feeling: who speaks, that it was mended, a translation.

import { mask } from "./offending.js";
import { instead, language, translated } from "./translation.js";
import { currentLanguage, t } from "./words.js";

const COLOURS = 6; // of speakers, in base.css

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

function part(kind, language) {
  const span = document.createElement("span");
  span.className = kind;
  span.lang = language;
  return span;
}

function mended() {
  const mark = part("mended", currentLanguage());
  mark.setAttribute("role", "img");
  mark.setAttribute("aria-label", t("captions.mended"));
  mark.append(icon("icon-mended"));
  return mark;
}

// `{number, name}`: the voice's number in this session, and its name where the presenter gave it one.
export const speakerOf = ({ speaker }) => (Number.isInteger(speaker?.number) && speaker.number > 0 ? speaker : null);
export const speakerName = ({ number, name }) => name || t("captions.speaker", { number });
export const speakerColour = ({ number }) => String(((number - 1) % COLOURS) + 1);

function speaker(who) {
  const label = part("speaker", who.name ? "" : currentLanguage());
  label.append(speakerName(who));
  return label;
}

function translation(text) {
  const row = part("translation", language());
  row.dir = "auto";
  row.append(mask(text));
  return row;
}

// The parts of a line with these tags: those that stand before its words, behind them, and under them.
export function partsOf(tags) {
  const who = speakerOf(tags);
  return {
    before: who ? [speaker(who)] : [],
    behind: tags.mended ? [mended()] : [],
    under: translated(tags) && !instead() ? [translation(translated(tags))] : [],
  };
}
