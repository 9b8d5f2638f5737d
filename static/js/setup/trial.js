// The first step: which microphone, and whether it hears. What it hears is shown here alone.

import { showChoices } from "./choices.js";
import { sentence, setText, t } from "../words.js";

const LOOK_MS = 4000; // between looks for microphones that were plugged in
const LINES = 3; // of what was said, that stay
const MONITOR = /^Monitor of /; // as sound servers call what is played
const WELL = ["listening", "listening.late", "listening.catching_up"];
const LIVE = ["listening", "lost"];
const byId = (id) => document.getElementById(id);
const dialog = byId("setup");

export class Trial {
  #devices = [];
  #reason = null; // why there is no list; null until it has come
  #looking = 0;
  #trying = false;
  #told = null; // the last `trial` event, or `status` while captions are live
  #lines = new Map();

  constructor(wire, state) {
    this.wire = wire;
    this.state = state;
    this.live = false;
    wire.socket.on("setup_devices", ({ devices, reason }) => {
      this.#devices = devices;
      this.#reason = reason;
      this.show();
    });
    wire.socket.on("trial", (event) => this.#take(event));
    wire.socket.on("trial_level", ({ db }) => { byId("setup-level").value = db; });
    wire.socket.on("trial_words", (line) => this.#hear(line));
    wire.socket.on("status", (event) => this.#takeLive(event));
    wire.socket.on("level", ({ db }) => { if (this.live && dialog.open) byId("setup-level").value = db; });
    wire.socket.on("caption", (line) => { if (this.live && dialog.open) this.#hear(line); });
    byId("setup-try").addEventListener("click", () => this.#press());
  }

  enter() {
    this.#lines.clear();
    clearInterval(this.#looking);
    this.#looking = setInterval(() => {
      if (!document.hidden && this.wire.socket.connected) this.wire.ask("setup_devices");
    }, LOOK_MS);
    this.show();
  }

  leave() {
    clearInterval(this.#looking);
    if (this.#trying) this.wire.ask("try_end");
    this.#trying = false;
  }

  // A recording stands in for the microphone: there is nothing to try.
  get #recording() { return Boolean(this.state()?.recording); }

  get #chosen() { return this.state()?.settings.microphone.value ?? ""; }

  #press() {
    if (this.#trying) {
      this.leave();
      this.show();
      return;
    }
    this.#try(this.#chosen);
  }

  async #try(microphone) {
    this.#lines.clear();
    this.#trying = true;
    this.#told = { state: "opening" };
    this.show();
    if (!(await this.wire.ask("try", { microphone }))) this.#trying = false;
    this.show();
  }

  async #choose(microphone) {
    if ((await this.wire.ask("choose", { name: "microphone", value: microphone })) && this.#trying) this.#try(microphone);
    this.show();
  }

  #take(event) {
    this.#trying = event.state !== "over" && !this.live;
    this.#told = event;
    if (event.state === "over") byId("setup-level").value = -60;
    this.show();
  }

  #takeLive(event) {
    const live = LIVE.includes(event.state);
    if (live !== this.live) this.#lines.clear();
    this.live = live;
    if (live) {
      this.#trying = false;
      this.#told = event;
    } else if (!this.#trying) this.#told = null;
    this.show();
  }

  #hear({ segment, text, final }) {
    if (text.trim()) this.#lines.set(segment, { text, final });
    else this.#lines.delete(segment);
    while (this.#lines.size > LINES) this.#lines.delete(this.#lines.keys().next().value);
    this.show();
  }

  show() {
    if (!dialog.open) return;
    this.#showDevices();
    const button = byId("setup-try");
    button.hidden = this.live;
    button.parentElement.hidden = this.#recording && !this.live;
    button.classList.toggle("main", !this.#trying);
    setText(button, t(this.#trying ? "setup.trial.stop" : "setup.trial.start"));
    // Nobody is to speak before it hears.
    const say = this.#told?.state === "opening" ? "setup.trial.opening" : "setup.trial.say";
    const live = this.#told?.state === "lost" ? "" : t("setup.trial.live"); // what is lost is told below
    setText(byId("setup-trial-how"), this.live ? live : t(this.#trying ? say : "setup.trial.how"));
    byId("setup-level").hidden = !(this.live || this.#trying);
    setText(byId("setup-words"), [...this.#lines.values()].map(({ text }) => text).join("\n"));
    this.#showSaid();
  }

  #showSaid() {
    const said = byId("setup-said");
    const running = this.live || this.#trying;
    const { state, code } = this.#told ?? {};
    const deaf = state === "lost" || (state === "listening" && !WELL.includes(code));
    const bad = state === "error" || (running && deaf);
    const good = running && !bad && [...this.#lines.values()].some(({ final }) => final);
    setText(said, bad ? sentence(this.#told) : good ? t("setup.trial.well") : "");
    said.toggleAttribute("data-bad", bad);
    said.toggleAttribute("data-good", good);
  }

  #showDevices() {
    const setting = this.state()?.settings.microphone;
    const usual = this.#devices.find((device) => device.default)?.name;
    const items = [["", usual ? t("setup.microphone.usual", { name: usual }) : t("setup.microphone.default")]];
    for (const { name, plays } of this.#devices) items.push([name, plays ? t("setup.microphone.plays", { name: name.replace(MONITOR, "") }) : name]);
    if (this.#reason !== null && !items.some(([value]) => value === this.#chosen)) {
      items.push([this.#chosen, t("setup.microphone.gone", { name: this.#chosen })]);
    }
    const fixed = Boolean(setting?.by);
    showChoices(byId("setup-devices"), "setup_microphone", items, { chosen: this.#chosen, fixed, choose: (name) => this.#choose(name) });
    const none = this.#reason !== null && !this.#devices.length;
    setText(byId("setup-no-device"), none ? this.#reason || t("setup.microphone.none") : "");
    if (this.#recording) setText(byId("setup-no-device"), t("setup.microphone.recording"));
  }
}
