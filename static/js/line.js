// One caption line: words in rows, a dash for another voice, a tag for the feeling.

import { breakRows, widthOf } from "./rows.js";
import { has, t } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const DASH = "– ";

export const emotionWord = (label) => (has(`emotion.${label}`) ? t(`emotion.${label}`) : label);

const wordsOf = ({ text, sound }) => (sound ? `[${has(`sound.${sound}`) ? t(`sound.${sound}`) : sound}]` : text.trim());

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
  #shown = ""; // what the node was given, whatever has become of it
  #text = "";
  #dash = null;
  #tag = []; // a space and the tag, where there is one
  #emotion = "";

  constructor(element) {
    this.element = element;
    element.dir = "auto";
    element.dataset.emotion = "";
    element.append(this.#node);
  }

  get segment() { return Number(this.element.dataset.segment); }
  get empty() { return !this.#text; }

  write(event, rowWidth) {
    const { tags = {}, sound } = event;
    this.#text = wordsOf(event);
    const { dataset } = this.element;
    dataset.loudness = tags.loudness ?? "";
    this.element.toggleAttribute("data-sound", Boolean(sound));
    this.#mark(Boolean(tags.new_voice) && Boolean(this.#text));
    this.#mend();
    this.layOut(rowWidth);
    this.#label((this.#text && tags.emotion?.label) || "");
  }

  // Final words stay as they are; what is said of them besides may come later.
  amend(event, rowWidth) {
    if (wordsOf(event) === this.#text) this.write(event, rowWidth);
  }

  // Only the part that differs is touched, so that text being read stays still.
  layOut(rowWidth) {
    const text = this.#text && breakRows(this.#text, rowWidth, this.#dash ? widthOf(DASH) : 0);
    if (text === this.#shown) return;
    this.#mend();
    const old = this.#shown;
    let same = 0;
    while (same < old.length && old[same] === text[same]) same += 1;
    if (same < old.length) this.#node.replaceData(same, old.length - same, text.slice(same));
    else this.#node.appendData(text.slice(same));
    this.#shown = text;
  }

  // A browser that translates takes nodes away and puts its own in their place; other extensions
  // do so too. Where what stands here is not what was put here, it is put here again.
  #mend() {
    const wanted = [this.#dash, this.#node, ...this.#tag].filter(Boolean);
    const { childNodes } = this.element;
    if (this.#node.data !== this.#shown) this.#node.data = this.#shown;
    if (childNodes.length === wanted.length && wanted.every((node, i) => node === childNodes[i])) return;
    this.element.replaceChildren(...wanted);
  }

  // The feelings were switched off for everyone.
  calm() { this.#label(""); }

  // After a change of language.
  reword() {
    const label = this.#emotion;
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
    if (this.#emotion === label) return;
    this.#emotion = this.element.dataset.emotion = label;
    for (const node of this.#tag) node.remove();
    this.#tag = [];
    if (!label) return;
    const tag = document.createElement("span");
    tag.className = "tone";
    tag.append("[", emotionIcon(label), `${emotionWord(label)}]`);
    this.#tag = [new Text(" "), tag];
    this.element.append(...this.#tag);
  }
}
