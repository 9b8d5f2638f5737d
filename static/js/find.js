// The lines of this session: found by their words and gone to, copied one by one or all together.

import { holds, marked } from "./search.js";
import { setText, t } from "./words.js";

const MOST = 50; // shown at once, the newest
const byId = (id) => document.getElementById(id);

export class Find {
  constructor(captions, jump) {
    this.captions = captions;
    this.jump = jump;
    this.list = byId("find-list");
    const field = byId("find-words");
    field.addEventListener("input", () => this.show());
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing || !field.value.trim()) return;
      event.preventDefault(); // it would press the button that has the focus next
      this.list.querySelector(".place")?.click();
    });
    byId("copy-all").addEventListener("click", () => this.#copy(this.captions.lines.map(({ shown }) => shown).join("\n")));
    new MutationObserver(() => this.show()).observe(byId("text"), { attributeFilter: ["open"] });
  }

  // Called for each new line, too: drawn only while somebody looks.
  show() {
    if (!byId("text").open) return;
    const wanted = byId("find-words").value.trim();
    const { lines } = this.captions;
    const found = lines.filter((line) => holds(line.shown, wanted));
    const { length } = found;
    setText(byId("find-count"), wanted ? t("find.count", { count: length }) : "");
    this.list.replaceChildren(...found.slice(-MOST).map((line) => this.#item(line, wanted)));
    byId("copy-all").disabled = !lines.length;
  }

  #item(line, wanted) {
    const text = line.shown;
    const item = byId("find-item").content.firstElementChild.cloneNode(true);
    item.querySelector("span").append(...marked(text, wanted));
    const [place, button] = item.querySelectorAll("button");
    place.addEventListener("click", () => {
      byId("text").close();
      this.jump.start(wanted, line);
    });
    setText(button, t("find.copy"));
    button.setAttribute("aria-label", t("find.copy.line", { text }));
    button.addEventListener("click", () => this.#copy(text));
    return item;
  }

  async #copy(text) {
    const done = await copied(text);
    setText(byId("find-said"), t(done ? "find.copied" : "find.failed"));
  }
}

// Browsers let only pages that came over TLS, or from this computer, use the clipboard; others
// can copy what is selected in a field.
async function copied(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const field = document.createElement("textarea");
  field.value = text;
  const before = document.activeElement;
  byId("text").append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus();
  return done;
}
