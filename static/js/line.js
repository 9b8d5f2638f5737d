// One caption line: words in rows, a dash for another voice, a tag for the feeling.

import { breakRows, widthOf } from "./rows.js";
import { has, t } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const DASH = "– ";

export const emotionWord = (label) => (has(`emotion.${label}`) ? t(`emotion.${label}`) : label);

export function emotionIcon(label) {
  const icon = document.createElementNS(SVG, "svg");
  icon.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#tone-${label}`);
  icon.append(use);
  return icon;
}

export class Line {
  #node = new Text("");
  #text = "";
  #dash = null;

  constructor(element) {
    this.element = element;
    element.dir = "auto";
    element.dataset.emotion = "";
    element.append(this.#node);
  }

  get segment() { return Number(this.element.dataset.segment); }
  get empty() { return !this.#text; }

  write({ text, emotion, loudness, new_voice: newVoice, sound }, rowWidth) {
    this.#text = sound ? `[${has(`sound.${sound}`) ? t(`sound.${sound}`) : sound}]` : text.trim();
    const { dataset } = this.element;
    dataset.loudness = loudness ?? "";
    this.element.toggleAttribute("data-sound", Boolean(sound));
    this.#mark(Boolean(newVoice) && Boolean(this.#text));
    this.layOut(rowWidth);
    this.#label((this.#text && emotion?.label) || "");
  }

  // Only the part that differs is touched, so that text being read stays still.
  layOut(rowWidth) {
    const text = this.#text && breakRows(this.#text, rowWidth, this.#dash ? widthOf(DASH) : 0);
    const old = this.#node.data;
    let same = 0;
    while (same < old.length && old[same] === text[same]) same += 1;
    if (same < old.length) this.#node.replaceData(same, old.length - same, text.slice(same));
    else if (same < text.length) this.#node.appendData(text.slice(same));
  }

  // The feelings were switched off for everyone.
  calm() { this.#label(""); }

  // After a change of language.
  reword() {
    const label = this.element.dataset.emotion;
    this.#label("");
    this.#label(label);
    this.#dash?.setAttribute("aria-label", t("captions.voice"));
  }

  #mark(another) {
    this.element.toggleAttribute("data-voice", another);
    if (another && !this.#dash) {
      this.#dash = document.createElement("span");
      this.#dash.className = "voice";
      this.#dash.setAttribute("role", "img");
      this.#dash.setAttribute("aria-label", t("captions.voice"));
      this.#dash.append(DASH);
      this.element.prepend(this.#dash);
    } else if (!another && this.#dash) {
      this.#dash.remove();
      this.#dash = null;
    }
  }

  // The tag follows the last word, while the line grows and after.
  #label(label) {
    if (this.element.dataset.emotion === label) return;
    this.element.dataset.emotion = label;
    while (this.#node.nextSibling) this.#node.nextSibling.remove();
    if (!label) return;
    const tag = document.createElement("span");
    tag.className = "tone";
    tag.append("[", emotionIcon(label), `${emotionWord(label)}]`);
    this.element.append(" ", tag);
  }
}
