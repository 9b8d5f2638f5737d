// The captions: finished lines in the log, the growing line below it.

import { Line } from "./line.js";

const MAX_LINES = 500;

export class Captions {
  #lines = [];
  #growing = -1;
  #newest = -1;
  #rowWidth = 0;

  constructor(list, live) {
    this.list = list;
    this.live = new Line(live);
  }

  get empty() { return this.#lines.length === 0 && this.live.empty; }

  // Take a `caption` event; tell whether a line was added.
  show(event, following) {
    if (!event.final) return this.#grow(event);
    this.#newest = Math.max(this.#newest, event.segment);
    if (this.#growing <= event.segment) this.#clearLive();
    return (event.text.trim() || event.sound ? this.#finish(event) : false) && this.#trim(following);
  }

  #grow(event) {
    if (event.segment < this.#growing || event.segment <= this.#newest) return false;
    this.#growing = event.segment;
    this.live.write(event, this.#rowWidth);
    return false;
  }

  // A reconnection sends past lines again: keep those that stand, put missed ones in their place.
  #finish(event) {
    let place = this.#lines.length;
    while (place > 0 && this.#lines[place - 1].segment > event.segment) place -= 1;
    const before = this.#lines[place - 1];
    if (before?.segment === event.segment) return false;
    const line = new Line(document.createElement("li"));
    line.element.className = "caption";
    line.element.dataset.segment = event.segment;
    line.write(event, this.#rowWidth);
    if (before) before.element.after(line.element);
    else this.list.prepend(line.element);
    this.#lines.splice(place, 0, line);
    return true;
  }

  // While someone reads up, nothing leaves above them, within reason.
  #trim(following) {
    const most = following ? MAX_LINES : 2 * MAX_LINES;
    while (this.#lines.length > most) this.#lines.shift().element.remove();
    return true;
  }

  #clearLive() {
    this.live.write({ text: "" }, this.#rowWidth);
  }

  clear() {
    this.#lines = [];
    this.list.replaceChildren();
    this.#clearLive();
    this.#growing = this.#newest = -1;
  }

  // The reader changed the size, the font or the window.
  layOut(rowWidth) {
    this.#rowWidth = rowWidth;
    for (const line of [...this.#lines, this.live]) line.layOut(rowWidth);
  }

  calm() {
    for (const line of [...this.#lines, this.live]) line.calm();
  }

  reword() {
    for (const line of [...this.#lines, this.live]) line.reword();
  }
}
