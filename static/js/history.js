// Saved sessions: the list, one of them opened to read, downloaded, or deleted by the presenter.

import { link, mask } from "./offending.js";
import { Reading } from "./reading.js";
import { currentLanguage, setText, t } from "./words.js";

const FORMS = ["txt", "docx", "srt", "vtt", "json"];
const byId = (id) => document.getElementById(id);
const address = (name, form) => `saved/${encodeURIComponent(name)}/${form}`;
// The page's language as the reader's country writes it.
const locale = () => navigator.languages.find((tag) => tag.split("-")[0] === currentLanguage()) ?? currentLanguage();
const get = (path) => fetch(path).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);

export class History {
  #room = {};

  constructor(wire) {
    this.wire = wire;
    this.place = byId("history");
    this.list = byId("history-list");
    new MutationObserver(() => this.load()).observe(byId("text"), { attributeFilter: ["open"] });
    byId("history-open").addEventListener("change", async ({ target }) => {
      if (!(await wire.ask("history", { on: target.checked }))) target.checked = Boolean(this.#room.history);
    });
  }

  setRoom(room) {
    const changed = this.#allowed !== Boolean(room.presenter || room.history);
    this.#room = room;
    byId("history-open").checked = Boolean(room.history);
    this.place.hidden = !this.#allowed;
    if (!this.#allowed) this.list.replaceChildren();
    if (changed) this.load();
  }

  get #allowed() { return Boolean(this.#room.presenter || this.#room.history); }

  // What is there now, whenever the sheet opens.
  async load() {
    if (!byId("text").open || !this.#allowed) return;
    const found = await get("saved");
    setText(byId("history-note"), found ? (found.sessions.length ? "" : t("history.none")) : t("history.failed"));
    this.list.replaceChildren(...(found?.sessions ?? []).map((session) => this.#item(session)));
    link();
  }

  #item({ name, began, length_s: length, first }) {
    const item = byId("history-item").content.firstElementChild.cloneNode(true);
    const when = new Date(began).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
    const minutes = Math.max(1, Math.round(length / 60));
    setText(item.querySelector(".when"), t("history.when", { when, minutes }));
    setText(item.querySelector(".first"), mask(first));
    const files = item.querySelectorAll("a");
    FORMS.forEach((form, i) => {
      files[i].href = address(name, form);
      files[i].setAttribute("aria-label", t("history.form", { form: form.toUpperCase(), when }));
    });
    const lines = item.querySelector(".lines");
    item.querySelector("details").addEventListener("toggle", ({ target }) => {
      if (target.open && !lines.children.length) this.#open(name, lines);
    });
    this.#offerDelete(item, name, when);
    return item;
  }

  async #open(name, place) {
    const found = await get(address(name, "json"));
    if (found) new Reading(place, found.lines);
    else setText(place, t("history.failed"));
  }

  // The first press asks, the second does it.
  #offerDelete(item, name, when) {
    const button = item.querySelector("button");
    button.hidden = !this.#room.presenter;
    setText(button, t("history.delete"));
    button.setAttribute("aria-label", t("history.delete.which", { when }));
    button.addEventListener("click", async () => {
      if (!button.hasAttribute("data-confirm")) {
        button.setAttribute("data-confirm", "");
        button.removeAttribute("aria-label");
        setText(button, t("history.delete.confirm"));
      } else if (await this.wire.ask("forget", { name })) {
        byId("text-title").focus();
        this.load();
      }
    });
  }
}
