// A saved session that is opened to read: its lines, and words found among them.

import { feeling, wording } from "./feeling.js";
import { soundWord, worthSaying } from "./line.js";
import { mask } from "./offending.js";
import { partsOf } from "./parts.js";
import { highlight, holds, rangesIn } from "./search.js";
import { get } from "./settings.js";
import { currentLanguage, setText, t } from "./words.js";

const byId = (id) => document.getElementById(id);

// How it was said, and what its words say, where the reader shows that on lines.
function guessed({ emotion, text_emotion: words }) {
  const told = [worthSaying(emotion) && feeling(emotion), worthSaying(words) && wording(words)].filter(Boolean);
  return told.flatMap((one) => [" ", one]);
}

function paragraph({ text, sound, tags = {} }) {
  const line = document.createElement("p");
  const { before, behind, under } = partsOf(tags);
  line.dir = "auto";
  if (sound) line.lang = currentLanguage();
  line.append(...before, sound ? soundWord(sound) : mask(text), ...behind, ...guessed(tags), ...under);
  return line;
}

const wordsIn = (line) => [...line.childNodes].find((node) => node.nodeType === Node.TEXT_NODE);

export class Reading {
  #found = [];
  #at = -1;

  // `lines`: of the file, as JSON has them
  constructor(place, lines) {
    place.append(byId("reading").content.cloneNode(true));
    this.field = place.querySelector("input");
    this.count = place.querySelector("[role=status]");
    this.steps = place.querySelectorAll(".steps button");
    this.page = place.querySelector(".page");
    this.page.replaceChildren(...lines.filter(({ sound }) => !sound || get("sounds")).map(paragraph));
    this.field.addEventListener("input", () => this.#find());
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) this.#step(event.shiftKey ? -1 : 1);
    });
    this.steps.forEach((button, i) => button.addEventListener("click", () => this.#step(i ? 1 : -1)));
    this.#word();
  }

  #word() {
    this.field.setAttribute("aria-label", t("find.label"));
    this.field.placeholder = t("find.label");
    this.page.setAttribute("aria-label", t("history.lines"));
    this.steps.forEach((button, i) => button.setAttribute("aria-label", t(i ? "find.later" : "find.earlier")));
  }

  #find() {
    const wanted = this.field.value.trim();
    this.#mark(false);
    this.#found = wanted ? [...this.page.children].filter((line) => holds(wordsIn(line).data, wanted)) : [];
    this.#at = -1;
    for (const button of this.steps) button.disabled = !this.#found.length;
    if (this.#found.length) this.#step(1);
    else {
      highlight([]);
      setText(this.count, wanted ? t("find.count", { count: 0 }) : "");
    }
  }

  #step(by) {
    const { length } = this.#found;
    if (!length) return;
    this.#mark(false);
    this.#at = (this.#at + by + length) % length;
    this.#mark(true);
    const line = this.#found[this.#at];
    highlight(rangesIn(wordsIn(line), this.field.value));
    this.page.scrollTop += line.getBoundingClientRect().top - this.page.getBoundingClientRect().top - this.page.clientHeight / 3;
    line.scrollIntoView({ block: "nearest" }); // within the sheet, too
    setText(this.count, t("find.place", { number: this.#at + 1, of: length }));
  }

  #mark(on) { this.#found[this.#at]?.toggleAttribute("data-found", on); }
}
