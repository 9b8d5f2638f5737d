// One caption line: words in rows, a dash for another voice, and beside them what is guessed of it.
// While its words are mended, a form stands in their place.

import { feeling, wording } from "./feeling.js";
import { mask } from "./offending.js";
import { partsOf, speakerColour, speakerOf } from "./parts.js";
import { breakRows, widthOf } from "./rows.js";
import { instead, language, translated } from "./translation.js";
import { currentLanguage, has, t } from "./words.js";

const DASH = "– ";

// What a sound is called in the page's language; one of somebody's own as they called it.
export const soundWord = (sound) => `[${has(`sound.${sound}`) ? t(`sound.${sound}`) : sound}]`;
const wordsOf = ({ text, sound }) => (sound ? soundWord(sound) : text.trim());

// What counts as neutral is in the timeline, and says nothing here.
export const worthSaying = (told) => (typeof told?.label === "string" && told.label !== "neutral" ? told : null);

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
  #tag = []; // a space and what is guessed, where it is known
  #guessed = {}; // how it was said, and what the words say
  #guessKind = ""; // of the tag
  #tags = {};
  #parts = { before: [], behind: [], under: [] };
  #kind = ""; // of the parts
  #form = null;

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
  get shown() { return this.#shown.replaceAll("\n", " "); } // with the words that offend as they are read
  get node() { return this.#node; }
  get mended() { return Boolean(this.#tags.mended); }
  get sound() { return Boolean(this.#sound); }
  get speaker() { return speakerOf(this.#tags); }

  write(event, rowWidth) {
    const { tags = {}, sound } = event;
    const other = this.#text && this.#text !== wordsOf(event);
    this.#text = wordsOf(event);
    this.#tags = this.#text ? tags : {};
    this.#sound = sound ? event : null;
    const { dataset } = this.element;
    dataset.loudness = tags.loudness ?? "";
    this.element.toggleAttribute("data-sound", Boolean(sound));
    if (sound) this.#speak(currentLanguage());
    this.#mark(Boolean(tags.new_voice) && Boolean(this.#text));
    this.#furnish();
    this.#mend();
    this.layOut(rowWidth);
    this.#label(this.#tags);
    if (other && this.#form) this.element.dispatchEvent(new Event("mended"));
  }

  // Final words stay as they are, unless they are mended, or that is undone; what is said of them
  // besides may come later.
  amend(event, rowWidth) {
    if (wordsOf(event) === this.#text || event.tags?.mended || this.mended) this.write(event, rowWidth);
  }

  // Put a form in place of the words, or the words again.
  edit(form) {
    this.#form = form;
    this.element.toggleAttribute("data-mending", Boolean(form));
    this.#mend();
  }

  #furnish() {
    const { mended } = this.#tags;
    const kind = JSON.stringify([this.speaker, mended, mask(translated(this.#tags)), instead(), currentLanguage()]);
    if (kind === this.#kind) return;
    this.#kind = kind;
    this.#parts = partsOf(this.#tags);
    const { speaker } = this;
    if (speaker) this.element.dataset.speaker = speakerColour(speaker);
    else delete this.element.dataset.speaker;
  }

  // Only the part that differs is touched, so that text being read stays still.
  layOut(rowWidth) {
    this.#rowWidth = rowWidth;
    if (this.#tags.translation) { // whose words are masked, too, and may be wanted elsewhere now
      this.#furnish();
      this.#mend();
    }
    const other = instead() && translated(this.#tags);
    if (!this.#sound) this.#speak(other ? language() : this.language);
    const text = this.#text && breakRows(mask(other || this.#text), rowWidth, this.#dash ? widthOf(DASH) : 0);
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
    const { before, behind, under } = this.#parts;
    const words = [...before, this.#dash, this.#node, ...behind, ...this.#tag, ...under].filter(Boolean);
    const wanted = this.#form ? [this.#form] : words;
    const { childNodes } = this.element;
    if (this.#node.data !== this.#shown) this.#node.data = this.#shown;
    for (const node of [...childNodes]) if (!wanted.includes(node)) node.remove();
    wanted.forEach((node, i) => {
      if (childNodes[i] !== node) this.element.insertBefore(node, childNodes[i] ?? null);
    });
  }

  // The feelings were switched off for everyone, and `words`: what words say, too.
  calm(words) { this.#label({ text_emotion: words ? null : this.#guessed.text_emotion }); }

  // After a change of language.
  reword() {
    this.#label(this.#guessed);
    if (this.#sound) this.write(this.#sound, this.#rowWidth);
    if (this.#dash) nameDash(this.#dash);
    this.#furnish();
    this.#mend();
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
    } else if (!another && this.#dash) {
      this.#dash = null;
    }
  }

  // Beside the words or above them, in a place that is kept free for it, so that it moves none of them.
  #label(guessed) {
    const [emotion, words] = [guessed.emotion, guessed.text_emotion].map(worthSaying);
    this.#guessed = { emotion, text_emotion: words };
    const kind = JSON.stringify([emotion?.label, emotion?.grade ?? "sure", words?.label, currentLanguage()]);
    if (kind === this.#guessKind) return;
    this.#guessKind = kind;
    this.element.dataset.emotion = emotion?.label ?? "";
    const said = document.createElement("span");
    said.className = "said";
    if (emotion) said.append(feeling(emotion));
    if (emotion && words) said.append(" ");
    if (words) said.append(wording(words));
    this.#tag = emotion || words ? [new Text(" "), said] : [];
    this.#mend();
  }
}
