// The captions: finished lines in the log, the growing line below it.

import { Line } from "./line.js";
import { Mark } from "./mark.js";
import { get } from "./settings.js";

const MAX_LINES = 500;

// Who goes on speaking is not named again.
function goesOn(line, before) {
  const number = line?.speaker?.number;
  line?.element.toggleAttribute("data-goes-on", Boolean(number) && number === before?.speaker?.number);
}

export class Captions {
  #lines = []; // and marks, in the order in which they stand
  #first = 0; // of this session's, among them
  #growing = null; // the event that the growing line shows
  #newest = -1;
  #rowWidth = 0;

  constructor(list, live) {
    this.list = list;
    this.live = new Line(live, live.lang);
    this.log = list.parentElement;
    this.column = this.log.parentElement;
  }

  get empty() { return this.#lines.length === 0 && this.live.empty; }

  // The line of an element among the lines, and its place; marks are none.
  lineAt(element) { return this.#lines.find((line) => line.element === element && line.words); }

  // Those that this reader sees.
  get lines() { return this.#lines.filter(({ words, sound }) => words && (!sound || get("sounds"))); }

  // Take a `caption` event; tell whether a line was added.
  show(event, following) {
    this.#mend();
    if (!event.final) return this.#grow(event);
    this.#newest = Math.max(this.#newest, event.segment);
    if (this.#growing === null || this.#growing.segment <= event.segment) this.#clearLive();
    return (event.text.trim() || event.sound ? this.#finish(event) : false) && this.#trim(following);
  }

  // The program was started anew, and knows nothing of these lines: they stay, under a mark.
  endSession() {
    this.#mend();
    this.#keepGrowing();
    if (this.#lines.length > this.#first) this.#insert(new Mark("captions.restarted", -1), this.#lines.length);
    this.#first = this.#lines.length;
    this.#newest = -1;
  }

  // The page was away, and lines up to this segment are not sent any more.
  missed(segment) {
    this.#mend();
    if (this.#newest >= segment) return;
    if (this.#growing?.segment <= segment) this.#keepGrowing();
    if (this.#lines.length === this.#first) return;
    this.#insert(new Mark("captions.missed", segment), this.#lines.length);
    this.#newest = segment;
  }

  #grow(event) {
    if (event.segment < (this.#growing?.segment ?? -1) || event.segment <= this.#newest) return false;
    this.#growing = event;
    this.live.write(event, this.#rowWidth);
    goesOn(this.live, this.#lines.at(-1));
    return false;
  }

  // Nothing more comes of the growing line: it ends as it stands.
  #keepGrowing() {
    if (!this.live.empty) this.#finish(this.#growing);
    this.#clearLive();
  }

  // A reconnection sends past lines again, and a tag may come late: what stands keeps its words;
  // missed ones are put in their place.
  #finish(event) {
    let place = this.#lines.length;
    while (place > this.#first && this.#lines[place - 1].segment > event.segment) place -= 1;
    if (place > this.#first && this.#lines[place - 1].segment === event.segment) {
      this.#lines[place - 1].amend(event, this.#rowWidth);
      this.#join(place - 1);
      return false;
    }
    // A line that is mended after this page has let go of it, or has never had it.
    if (event.tags?.mended && place === this.#first && place < this.#lines.length) return false;
    const line = new Line(document.createElement("li"));
    line.element.className = "caption";
    line.element.dataset.segment = event.segment;
    line.write(event, this.#rowWidth);
    this.#insert(line, place);
    return true;
  }

  #insert(line, place) {
    if (place > 0) this.#lines[place - 1].element.after(line.element);
    else this.list.prepend(line.element);
    this.#lines.splice(place, 0, line);
    this.#join(place);
  }

  #join(place) {
    for (const i of [place, place + 1]) goesOn(this.#lines[i], this.#lines[i - 1]);
  }

  // While someone reads up, nothing leaves above them, within reason.
  #trim(following) {
    const most = following ? MAX_LINES : 2 * MAX_LINES;
    while (this.#lines.length > most) {
      this.#lines.shift().element.remove();
      this.#first = Math.max(0, this.#first - 1);
    }
    return true;
  }

  // What an extension took out of the document comes back to its place.
  #mend() {
    const { list, log, column } = this;
    const last = this.#lines.at(-1)?.element ?? null;
    if (list.childElementCount !== this.#lines.length || list.lastElementChild !== last) {
      list.replaceChildren(...this.#lines.map((line) => line.element));
    }
    if (list.parentElement !== log) log.replaceChildren(list);
    if (log.parentElement !== column) column.prepend(log);
    if (this.live.element.previousElementSibling !== log) log.after(this.live.element);
  }

  #clearLive() {
    this.#growing = null;
    this.live.write({ text: "" }, this.#rowWidth);
  }

  clear() {
    this.#lines = [];
    this.#first = 0;
    this.#newest = -1;
    this.#clearLive();
    this.#mend();
  }

  // What is spoken, for whatever reads it aloud or translates it.
  setLanguage(code) {
    if (this.log.lang !== code) this.log.lang = code;
    if (this.live.element.lang !== code) this.live.element.lang = code;
    this.live.language = code;
  }

  // The reader changed the size, the font or the window.
  layOut(rowWidth) {
    this.#rowWidth = rowWidth;
    for (const line of [...this.#lines, this.live]) line.layOut(rowWidth);
  }

  calm(words) {
    for (const line of [...this.#lines, this.live]) line.calm(words);
  }

  reword() {
    for (const line of [...this.#lines, this.live]) line.reword();
  }
}
