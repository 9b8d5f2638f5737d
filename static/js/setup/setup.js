// The set-up: three steps for the presenter. The server keeps what is chosen; this shows it and asks.

import { Trial } from "./trial.js";
import { currentLanguage, setText, t } from "../words.js";

const STEPS = ["microphone", "language", "room"];
const TOLD = ["setup_recognisers", "setup_fetch", "status"]; // what the second step shows
const byId = (id) => document.getElementById(id);
const dialog = byId("setup");

// Whatever is set where the program is started can be seen here, and not changed.
const isFixed = ({ by }) => Boolean(by);

export class Setup {
  #state = null;
  #step = "microphone";
  #greeting = false; // opened by itself, for who has set nothing up yet
  #told = {}; // the last of each
  #models = null; // the second step, which nobody needs before the set-up opens

  constructor(wire) {
    this.wire = wire;
    this.trial = new Trial(wire, () => this.#state);
    for (const name of TOLD) wire.socket.on(name, (told) => { this.#told[name] = told; });
    wire.socket.on("setup", (state) => this.#take(state));
    wire.socket.on("status", () => this.#showNext());
    for (const button of dialog.querySelectorAll("[data-step]")) {
      button.addEventListener("click", () => this.#go(button.dataset.step));
    }
    byId("setup-back").addEventListener("click", () => this.#go(STEPS[STEPS.indexOf(this.#step) - 1]));
    byId("setup-next").addEventListener("click", () => this.#next());
    byId("setup-skip").addEventListener("click", () => dialog.close());
    byId("setup-anew").addEventListener("click", () => wire.ask("listen_anew"));
    for (const input of dialog.querySelectorAll("[data-setting]")) {
      input.addEventListener("change", () => this.choose(input.dataset.setting, input.type === "checkbox" ? (input.checked ? "true" : "") : input.value));
    }
    dialog.addEventListener("close", () => this.#closed());
    // Opened by a button, a key or the greeting alike.
    new MutationObserver(() => { if (dialog.open) this.#opened(); }).observe(dialog, { attributeFilter: ["open"] });
    this.reword();
  }

  setRoom({ presenter }) {
    if (!presenter && dialog.open) dialog.close();
    this.presenter = presenter;
    if (!presenter) this.#state = null;
  }

  reword() {
    this.#show();
    this.trial.show();
    this.#models?.show();
  }

  async choose(name, value) {
    const text = name === "listen" ? String(Boolean(value)) : value;
    if (!(await this.wire.ask("choose", { name, value: text }))) this.#show();
  }

  #take(state) {
    this.#state = state;
    if (this.#greeting && !state.first && this.#step === STEPS[0]) dialog.close(); // somebody else has done it
    if (state.first && this.presenter && !dialog.open && !document.querySelector("dialog[open]")) {
      this.#greeting = true;
      dialog.showModal();
    }
    this.#show();
    this.trial.show();
    this.#models?.show();
  }

  // A program of several rooms is set up by its file alone: what is chosen here would be of all.
  get #several() {
    return Boolean(this.#state?.rooms.length);
  }

  #opened() {
    if (this.#several) {
      this.#show();
      return;
    }
    this.#go(STEPS[0], false);
    this.#look();
  }

  async #look() {
    const { Models } = await import("./models.js");
    this.#models ??= new Models(this.wire, () => this.#state, this.#told);
    this.#models.show();
    this.wire.ask("setup_look");
  }

  #closed() {
    this.trial.leave();
    if (this.#greeting && this.#state?.first) this.wire.ask("setup_end");
    this.#greeting = false;
  }

  #go(step, focus = true) {
    this.#step = step;
    this.#show();
    dialog.querySelector(".content").scrollTop = 0;
    if (step === "language" && !this.#models) this.#look(); // the program was away when it opened
    if (step === "microphone") this.trial.enter();
    else this.trial.leave();
    if (focus) byId(`setup-${step}-title`).focus();
  }

  async #next() {
    if (this.#several) {
      dialog.close();
      return;
    }
    const next = STEPS[STEPS.indexOf(this.#step) + 1];
    if (next) {
      this.#go(next);
      return;
    }
    const start = !this.trial.live;
    dialog.close();
    if (start) await this.wire.ask("start");
  }

  #showNext() {
    const last = this.#step === STEPS.at(-1);
    const done = this.#several || (last && this.trial.live);
    setText(byId("setup-next"), t(done ? "setup.done" : last ? "setup.start" : "setup.next"));
  }

  #show() {
    for (const step of STEPS) {
      byId(`setup-${step}`).hidden = this.#several || step !== this.#step;
      const button = dialog.querySelector(`[data-step="${step}"]`);
      if (step === this.#step) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    }
    byId("setup-several").hidden = !this.#several;
    dialog.querySelector(".setup-steps").hidden = this.#several;
    byId("setup-back").hidden = this.#several || this.#step === STEPS[0];
    byId("setup-skip").hidden = !this.#greeting;
    this.#showNext();
    if (!this.#state) return;
    const { settings, file, pending, recording, rooms } = this.#state;
    for (const [name, setting] of Object.entries(settings)) {
      for (const input of dialog.querySelectorAll(`[data-setting="${name}"]`)) {
        input.disabled = isFixed(setting);
        if (input.type === "checkbox") input.checked = Boolean(setting.value);
        else if (input.type === "radio") input.checked = input.value === String(setting.value);
        else if (input !== document.activeElement) input.value = setting.value;
      }
      const note = dialog.querySelector(`[data-origin="${name}"]`);
      const kept = setting.origin === "file" ? t("setup.origin.file") : "";
      setText(note, isFixed(setting) ? t("setup.origin.fixed", { by: setting.by }) : kept);
    }
    byId("setup-pending").hidden = recording || !pending.includes("microphone");
    setText(byId("setup-rooms"), t("setup.several", { rooms: rooms.join(", ") }));
    for (const place of dialog.querySelectorAll(".setup-file")) setText(place, file);
    byId("setup-more").lang = currentLanguage();
  }
}
