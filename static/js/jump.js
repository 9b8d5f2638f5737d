// From one line that was looked for to the next, among the captions; Escape leads back to the live ones.

import { anyOpen } from "./dialogs.js";
import { highlight, holds, rangesIn } from "./search.js";
import { setText, t } from "./words.js";

const byId = (id) => document.getElementById(id);

export class Jump {
  #wanted = "";
  #line = null; // where it is
  #rows = new MutationObserver(() => this.#light()); // made anew, they lose what is marked in them

  constructor(captions, follow) {
    this.captions = captions;
    this.follow = follow;
    this.strip = byId("found");
    byId("found-earlier").addEventListener("click", () => this.#step(-1));
    byId("found-later").addEventListener("click", () => this.#step(1));
    byId("found-end").addEventListener("click", () => this.follow.toEnd());
    follow.onReturn = () => this.#end();
    // Rows change with the width, as when a sheet closes, and with them where the line is.
    new ResizeObserver(() => this.#reach()).observe(follow.view);
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#line || anyOpen() || event.defaultPrevented) return;
      this.follow.toEnd();
    });
  }

  // `wanted`: the words, or "" for all lines.
  start(wanted, line) {
    this.#wanted = wanted;
    this.strip.hidden = false;
    this.reword();
    byId("found-earlier").focus({ preventScroll: true });
    this.#show(line);
  }

  reword() {
    for (const name of ["earlier", "later"]) byId(`found-${name}`).setAttribute("aria-label", t(`find.${name}`));
    setText(byId("found-end"), t("bar.back"));
    if (this.#line) this.#count();
  }

  get #lines() { return this.captions.lines.filter((line) => holds(line.shown, this.#wanted)); }

  // Round at the ends. A line that is gone by now is as good as the first.
  #step(by) {
    const lines = this.#lines;
    if (!lines.length) this.follow.toEnd();
    else this.#show(lines.at((Math.max(0, lines.indexOf(this.#line)) + by) % lines.length));
  }

  #show(line) {
    this.#mark(false);
    this.#line = line;
    this.#mark(true);
    this.#reach();
    this.#count();
  }

  #reach() {
    if (!this.#line) return;
    this.follow.hold();
    const { view } = this.follow;
    const { element, node } = this.#line;
    const whole = element.offsetHeight + parseFloat(getComputedStyle(view).fontSize) <= view.clientHeight;
    element.scrollIntoView({ block: whole ? "center" : "start" });
    const [words] = rangesIn(node, this.#wanted); // of a line that is higher than the view
    const below = words ? words.getBoundingClientRect().bottom - view.getBoundingClientRect().bottom : 0;
    if (below > 0) view.scrollTop += below + view.clientHeight / 2;
    this.follow.hold(); // where it is now
  }

  #mark(on) {
    if (!this.#line) return;
    this.#line.element.toggleAttribute("data-found", on);
    this.#rows.disconnect();
    if (on) this.#rows.observe(this.#line.node, { characterData: true });
    if (on) this.#light();
    else highlight([]);
  }

  #light() { highlight(rangesIn(this.#line.node, this.#wanted)); }

  #count() {
    const lines = this.#lines;
    const number = lines.indexOf(this.#line) + 1;
    setText(byId("found-count"), t("find.place", { number, of: lines.length }));
    setText(byId("found-text"), this.#line.shown);
  }

  #end() {
    if (!this.#line) return;
    this.#mark(false);
    this.#line = null;
    const focused = this.strip.contains(document.activeElement);
    this.strip.hidden = true;
    if (focused) this.follow.view.focus({ preventScroll: true });
  }
}
