// One caption line: words in rows, a dash for another voice, and beside them a face for the feeling.

import { mask } from "./offending.js";
import { breakRows, widthOf } from "./rows.js";
import { currentLanguage, has, t } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const DASH = "– ";

const emotionWord = (label) => (has(`emotion.${label}`) ? t(`emotion.${label}`) : label);

const wordsOf = ({ text, sound }) => (sound ? `[${has(`sound.${sound}`) ? t(`sound.${sound}`) : sound}]` : text.trim());

function face(label) {
  const icon = document.createElementNS(SVG, "svg");
  icon.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#tone-${label}`);
  icon.append(use);
  return icon;
}

// A face and its word, filled where the program is sure, hollow and with a question mark where the
// feeling is only likely. The face itself is drawn by the style sheet.
export function feeling({ label, grade = "sure" }) {
  const tag = document.createElement("span");
  const word = document.createElement("span");
  const likely = grade === "likely";
  word.append(likely ? t("emotion.likely", { word: emotionWord(label) }) : emotionWord(label));
  tag.className = "feeling";
  tag.dataset.emotion = label;
  tag.dataset.grade = grade;
  tag.lang = currentLanguage();
  tag.setAttribute("role", "img");
  tag.setAttribute("aria-label", likely ? t("emotion.likely.name", { word: emotionWord(label) }) : emotionWord(label));
  tag.append(face(label), word);
  return tag;
}

function nameDash(dash) {
  dash.setAttribute("aria-label", t("captions.voice"));
  dash.lang = currentLanguage();
}

export class Line {
  #node = new Text("");
  #shown = ""; // what the node was given, whatever has become of it
  #text = "";
  #sound = null; // the event of a sound, whose words are the page's own
  #rowWidth = 0;
  #dash = null;
  #tag = []; // a space and the feeling, where it is known
  #emotion = null;

  // `language`: of the words, where that of what is around the line is not theirs.
  constructor(element, language = "") {
    this.element = element;
    this.language = language;
    element.dir = "auto";
    element.dataset.emotion = "";
    element.append(this.#node);
  }

  get segment() { return Number(this.element.dataset.segment); }
  get empty() { return !this.#text; }
  get words() { return this.#text; }

  write(event, rowWidth) {
    const { tags = {}, sound } = event;
    this.#text = wordsOf(event);
    this.#sound = sound ? event : null;
    const { dataset } = this.element;
    dataset.loudness = tags.loudness ?? "";
    this.element.toggleAttribute("data-sound", Boolean(sound));
    this.#speak(sound ? currentLanguage() : this.language);
    this.#mark(Boolean(tags.new_voice) && Boolean(this.#text));
    this.#mend();
    this.layOut(rowWidth);
    this.#label((this.#text && tags.emotion) || null);
  }

  // Final words stay as they are; what is said of them besides may come later.
  amend(event, rowWidth) {
    if (wordsOf(event) === this.#text) this.write(event, rowWidth);
  }

  // Only the part that differs is touched, so that text being read stays still.
  layOut(rowWidth) {
    this.#rowWidth = rowWidth;
    const text = this.#text && breakRows(mask(this.#text), rowWidth, this.#dash ? widthOf(DASH) : 0);
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
  calm() { this.#label(null); }

  // After a change of language.
  reword() {
    const emotion = this.#emotion;
    this.#label(null);
    this.#label(emotion);
    if (this.#sound) this.write(this.#sound, this.#rowWidth);
    if (this.#dash) nameDash(this.#dash);
  }

  #speak(language) {
    if (this.element.lang === language) return;
    if (language) this.element.lang = language;
    else this.element.removeAttribute("lang");
  }

  #mark(another) {
    this.element.toggleAttribute("data-voice", another);
    if (another && !this.#dash) {
      this.#dash = document.createElement("span");
      this.#dash.className = "voice";
      this.#dash.setAttribute("role", "img");
      nameDash(this.#dash);
      this.#dash.append(DASH);
      this.element.prepend(this.#dash);
    } else if (!another && this.#dash) {
      this.#dash.remove();
      this.#dash = null;
    }
  }

  // Beside the words, in a place that is kept free for it, so that it moves none of them.
  #label(told) {
    const emotion = told?.label === "neutral" ? null : told; // it counts in the timeline, and says nothing here
    const { label = "", grade = "sure" } = emotion ?? {};
    if ((this.#emotion?.label ?? "") === label && (this.#emotion?.grade ?? "sure") === grade) return;
    this.#emotion = emotion;
    this.element.dataset.emotion = label;
    for (const node of this.#tag) node.remove();
    this.#tag = emotion ? [new Text(" "), feeling(emotion)] : [];
    this.element.append(...this.#tag);
  }
}
