// The presenter mends the words of a finished line, in their place, and names its voice: by a press on
// it, or by Tab to the newest line, the arrow keys and Enter.

import { setText, t } from "./words.js";

const MOST_WORDS = 4; // that are one name, which the recogniser may remember
const STEPS = { ArrowUp: -1, ArrowDown: 1 };
const main = document.querySelector("main");
const byId = (id) => document.getElementById(id);
const asTyped = (text) => text.replace(/\r\n?/g, "\n"); // a field has no other ends of rows
const bare = (word) => word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");

// The words that differ, between those at both ends that do not; "" where they are no name.
export function changed(before, after) {
  const [old, words] = [before, after].map((text) => text.trim().split(/\s+/));
  let first = 0;
  while (first < words.length && words[first] === old[first]) first += 1;
  let last = 0;
  while (last < words.length - first && words.at(-1 - last) === old.at(-1 - last)) last += 1;
  const other = words.slice(first, words.length - last);
  return other.length <= MOST_WORDS ? bare(other.join(" ")) : "";
}

export class Mend {
  #presenter = false;
  #line = null; // that is being mended
  #form = null;
  #wasFollowing = true;

  constructor(captions, follow, wire) {
    Object.assign(this, { captions, follow, wire });
    this.list = captions.list;
    this.list.addEventListener("click", (event) => this.#press(event));
    this.list.addEventListener("keydown", (event) => this.#key(event));
    new MutationObserver(() => this.#look()).observe(this.list, { childList: true });
  }

  setRoom({ presenter }) {
    this.#presenter = presenter;
    if (!presenter) this.#letGo();
    this.list.toggleAttribute("data-mends", presenter);
    this.#look();
  }

  // The newest line can be reached by Tab; a line that was cleared is mended no more.
  #look() {
    if (this.#line && !this.#line.element.isConnected) this.#letGo();
    const newest = this.#presenter ? this.captions.lines.at(-1)?.element : null;
    for (const line of this.list.querySelectorAll("[tabindex]")) {
      if (line !== newest && !line.contains(document.activeElement)) this.#offer(line, false);
    }
    if (newest) this.#offer(newest, true);
  }

  #offer(element, on) {
    if (on) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
    if (on) element.setAttribute("aria-describedby", "mend-how");
    else element.removeAttribute("aria-describedby");
  }

  #press({ target, detail }) {
    const selecting = !getSelection().isCollapsed;
    const element = target.closest("li.caption");
    if (this.#presenter && element && !selecting && detail <= 1 && !target.closest("form")) this.#begin(element);
  }

  #key(event) {
    const { key, target } = event;
    if (!this.#presenter || !target.matches("li.caption") || event.ctrlKey || event.altKey || event.metaKey) return;
    if (key === "Enter") this.#begin(target);
    else if (STEPS[key]) this.#step(target, STEPS[key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #step(from, by) {
    const { lines } = this.captions;
    const next = lines[lines.findIndex(({ element }) => element === from) + by]?.element;
    if (!next) return;
    this.#offer(next, true);
    this.follow.hold();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
    this.follow.letGo();
    this.#look();
  }

  #begin(element) {
    const line = this.captions.lineAt(element);
    if (!line || line.sound || line === this.#line) return;
    if (this.#unsaved) {
      this.#field.focus(); // and is saved or cancelled first
      return;
    }
    this.#end();
    const form = byId("mend-form").content.firstElementChild.cloneNode(true);
    const [field] = form.querySelectorAll("textarea");
    this.#line = line;
    this.#form = form;
    this.#wasFollowing = this.follow.following;
    this.#word(form, line);
    field.defaultValue = asTyped(line.words);
    field.lang = line.element.closest("[lang]").lang;
    this.#listen(form, field);
    this.follow.hold();
    line.edit(form);
    line.element.addEventListener("mended", this.#onOther);
    field.focus({ preventScroll: true });
    field.select();
    line.element.scrollIntoView({ block: "nearest" });
  }

  #word(form, line) {
    const [field] = form.querySelectorAll("textarea");
    const [save, cancel, restore] = form.querySelectorAll("button");
    field.setAttribute("aria-label", t("mend.label"));
    setText(save, t("mend.save"));
    setText(cancel, t("mend.cancel"));
    setText(restore, t("mend.restore"));
    restore.hidden = !line.mended;
    const named = form.querySelector(".named");
    named.hidden = !line.speaker;
    setText(named.querySelector("span"), t("mend.voice", { number: line.speaker?.number }));
    named.querySelector("input").defaultValue = line.speaker?.name ?? "";
  }

  #listen(form, field) {
    const [, cancel, restore] = form.querySelectorAll("button");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    field.addEventListener("input", () => { if (!this.#kept) this.#offerToRemember(); });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#end(true);
      else if (event.key === "Enter" && event.target === field && !event.isComposing) this.#save();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    cancel.addEventListener("click", () => this.#end(true));
    restore.addEventListener("click", () => this.#ask(["restore", { segment: this.#line.segment }]));
  }

  #offerToRemember() {
    const words = changed(this.#line.words, this.#field.value);
    const row = this.#form.querySelector(".switch");
    row.hidden = !words;
    if (words) setText(row.querySelector("span"), t("mend.remember", { words }));
  }

  // Another presenter was quicker: what they wrote is seen, and this one may still write over it.
  #onOther = () => {
    if (this.#busy) return; // it is this one's own word that comes
    const words = asTyped(this.#line.words);
    setText(this.#form.querySelector("p"), words === this.#field.defaultValue ? "" : t("mend.other", { text: words }));
    this.#form.querySelectorAll("button")[2].hidden = !this.#line.mended;
  };

  get #field() { return this.#form.querySelector("textarea"); }

  get #typed() { return [...(this.#form?.querySelectorAll("textarea, .named input") ?? [])]; }

  get #unsaved() { return this.#typed.some(({ value, defaultValue }) => value !== defaultValue); }

  get #kept() { return this.#form?.parentElement === main; }

  get #busy() { return this.#form?.ariaBusy === "true"; }

  #save() {
    if (this.#kept) return null;
    const { segment, speaker, words } = this.#line;
    const asked = [];
    const name = this.#form.querySelector(".named input").value.trim();
    if (speaker && name !== (speaker.name ?? "")) asked.push(["name_voice", { number: speaker.number, name }]);
    const text = this.#field.value.trim();
    const box = this.#form.querySelector(".switch:not([hidden]) input");
    const remember = box?.checked ? changed(words, text) : "";
    if (text && text !== asTyped(words)) asked.push(["correct", { segment, text, remember }]);
    return this.#ask(...asked);
  }

  // What was typed stays until it has arrived; what is typed meanwhile, until it is saved, too.
  async #ask(...asked) {
    if (this.#busy) return;
    const form = this.#form;
    const sent = this.#typed.map(({ value }) => value);
    form.ariaBusy = "true";
    let done = true;
    for (const [name, payload] of asked) done = done && (await this.wire.ask(name, payload));
    form.ariaBusy = "false";
    if (this.#form !== form || !done) return;
    if (this.#typed.every(({ value }, i) => value === sent[i])) this.#end(true);
    else this.#typed.forEach((field, i) => { field.defaultValue = sent[i]; });
  }

  // The line is gone, or not this page's to mend any more: what was typed and not saved stays above
  // the captions until it is closed.
  #letGo() {
    if (this.#kept) return;
    if (!this.#unsaved) {
      this.#end();
      return;
    }
    const form = this.#form;
    const [save, close, restore] = form.querySelectorAll("button");
    this.#leave();
    main.prepend(form);
    save.hidden = restore.hidden = form.querySelector(".switch").hidden = true;
    setText(close, t("bar.close"));
    setText(form.querySelector("p"), t("mend.kept"));
    if (document.activeElement === document.body) this.#field.focus();
  }

  #leave() {
    this.#line.element.removeEventListener("mended", this.#onOther);
    this.#line.edit(null);
    if (this.#wasFollowing) this.follow.toEnd();
    else this.follow.letGo();
  }

  // `back`: the focus goes to the line.
  #end(back = false) {
    const line = this.#line;
    if (!line) return;
    if (this.#kept) this.#form.remove();
    else this.#leave();
    this.#line = this.#form = null;
    if (back && line.element.isConnected) {
      this.#offer(line.element, true);
      line.element.focus({ preventScroll: true });
    }
    this.#look();
  }
}
