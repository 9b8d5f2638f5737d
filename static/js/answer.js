// Talking back: what is typed is shown large to the hearing person, and spoken at a press.

import { fit } from "./fit.js";
import { currentLanguage, sentence, setText, t } from "./words.js";

const byId = (id) => document.getElementById(id);
const input = byId("answer-text");
const shown = byId("shown");
const shownText = byId("shown-text");

export class Answer {
  #room = { phrases: [], speech: false, presenter: false };
  #elsewhere = ""; // what stands on the screen that faces whoever speaks
  #could = true; // speak
  #spoken = false; // by the server, at a press on this page

  constructor(wire) {
    this.wire = wire;
    byId("answer-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.show(input.value);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.show(input.value);
      }
    });
    byId("answer-speak").addEventListener("click", () => this.speak(input.value));
    byId("shown-speak").addEventListener("click", () => this.speak(shownText.textContent));
    byId("shown-turn").addEventListener("click", () => {
      const turned = shown.toggleAttribute("data-turned");
      byId("shown-turn").setAttribute("aria-pressed", turned);
    });
    byId("answer-away").addEventListener("click", () => wire.ask("answer", { text: "" }));
    byId("phrases-edit").addEventListener("click", () => this.#edit(true));
    byId("phrases-cancel").addEventListener("click", () => this.#edit(false));
    byId("phrases-save").addEventListener("click", () => this.#save());
    new ResizeObserver(fitShown).observe(shown);
    document.fonts.addEventListener("loadingdone", fitShown);
    globalThis.speechSynthesis?.addEventListener?.("voiceschanged", () => this.#showVoice());
    byId("answer").addEventListener("close", () => this.#edit(false));
  }

  setRoom(room) {
    this.#room = room;
    byId("phrases").replaceChildren(...(room.phrases ?? []).map((phrase) => this.#phrase(phrase)));
    byId("phrases-title").hidden = !room.phrases?.length;
    byId("phrases-edit").hidden = !room.presenter;
    this.#showElsewhere();
    this.#showVoice();
  }

  // What stands on the screen that faces whoever speaks.
  setElsewhere(text) {
    this.#elsewhere = text;
    this.#showElsewhere();
  }

  async show(text) {
    if (!text.trim()) {
      input.focus();
      return;
    }
    const { facing } = this.#room;
    const asked = this.#mayFace && facing && this.wire.ask("answer", { text: text.trim() });
    if (facing === "here" && (await asked)) { // the captions stay in view on this screen
      input.value = "";
      return;
    }
    setText(shownText, text.trim());
    shown.showModal();
    fitShown();
  }

  async speak(text) {
    if (!text.trim()) {
      input.focus();
      return;
    }
    this.#note("");
    const voice = this.#voice();
    if (!voice) {
      this.#spoken = true;
      if (!(await this.wire.ask("speak", { text: text.trim(), language: currentLanguage() }))) this.#note(t("answer.failed"));
      return;
    }
    const speech = new SpeechSynthesisUtterance(text.trim());
    speech.voice = voice;
    speech.lang = voice.lang;
    speech.addEventListener("error", () => this.#note(t("answer.failed")));
    speechSynthesis.cancel();
    speechSynthesis.speak(speech);
  }

  // That an answer was not spoken is said where it was pressed; return the other remarks.
  take(notices) {
    const failure = notices.find(({ code }) => code === "speech.failed");
    const here = failure && this.#spoken;
    if (here) this.#note(sentence(failure));
    const seen = byId("answer").open || shown.open;
    return here && !seen ? notices : notices.filter((notice) => notice !== failure);
  }

  reword() {
    this.#showElsewhere();
    this.#could = null;
    this.#showVoice();
  }

  get #mayFace() { return this.#room.presenter || this.#room.answers; }

  #showElsewhere() {
    const away = byId("answer-away");
    away.hidden = !this.#elsewhere || !this.#mayFace;
    setText(byId("answer-elsewhere"), this.#elsewhere && t("answer.elsewhere", { text: this.#elsewhere }));
  }

  #note(text) {
    setText(byId("answer-note"), text);
    setText(byId("shown-note"), text);
  }

  // One of this device's own: with the others what is typed would leave it.
  #voice() {
    const language = currentLanguage();
    const speaks = ({ lang, localService }) => localService && lang.split(/[-_]/)[0] === language;
    return globalThis.speechSynthesis?.getVoices().find(speaks);
  }

  // The server speaks only for the presenter, whose room it is.
  #showVoice() {
    const can = Boolean(this.#voice()) || Boolean(this.#room.presenter && this.#room.speech);
    byId("answer-speak").hidden = byId("shown-speak").hidden = !can;
    if (can !== this.#could) this.#note(can ? "" : t("answer.silent"));
    this.#could = can;
  }

  #phrase(phrase) {
    const button = document.createElement("button");
    button.type = "button";
    button.dir = "auto";
    button.textContent = phrase;
    button.addEventListener("click", () => this.show(phrase));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }

  #edit(on) {
    byId("phrases-form").hidden = !on;
    byId("phrases-list").hidden = on;
    if (!on) return;
    byId("phrases-text").value = (this.#room.phrases ?? []).join("\n");
    byId("phrases-text").focus();
  }

  async #save() {
    const lines = byId("phrases-text").value.split("\n").map((line) => line.trim()).filter(Boolean);
    const list = [...new Set(lines)];
    const { most, letters } = this.#room.phrases_limits;
    const long = list.find((phrase) => [...phrase].length > letters); // letters, not UTF-16's halves
    if (list.length > most) this.wire.refused(t("answer.edit.many", { number: list.length, most }));
    else if (long) this.wire.refused(t("answer.edit.long", { start: [...long].slice(0, 30).join(""), letters }));
    else if (await this.wire.ask("phrases", { list })) this.#edit(false);
  }
}

function fitShown() { if (shown.open) fit(shownText); }
