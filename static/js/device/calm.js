// After an idle hour a calm screen says what this is and that it is on. It drifts, so that nothing
// burns into a screen that is on for a year, and ends at the first word or touch.

import * as dialogs from "../dialogs.js";
import { setText, t } from "../words.js";
import * as about from "./about.js";

const IDLE_MS = 60 * 60_000;
const DRIFT_MS = 60_000;
const TOUCHES = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];
const byId = (id) => document.getElementById(id);

export class Calm {
  #waiting = 0;
  #drifting = 0;
  #state = "connecting";
  #room = {};

  constructor() {
    this.element = byId("calm");
    for (const name of TOUCHES) addEventListener(name, () => this.wake(), { passive: true, capture: true });
    // The touch that ends it presses nothing that lies below.
    this.element.addEventListener("click", () => { this.element.hidden = true; });
    this.wake();
  }

  setState(state) {
    this.#state = state;
    if (!this.#fits()) this.wake();
    this.reword();
  }

  setRoom(room) {
    this.#room = room;
    if (!this.#fits()) this.wake();
    this.reword();
  }

  // Something was said or touched.
  wake() {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#begin(), IDLE_MS);
    if (!this.#drifting) return;
    clearInterval(this.#drifting);
    this.#drifting = 0;
    document.body.removeAttribute("data-calm");
    setTimeout(() => { this.element.hidden = !this.#drifting; }, 500);
  }

  reword() {
    const on = this.#state === "listening";
    setText(byId("calm-title"), t(on ? "calm.on" : "calm.ready"));
    setText(byId("calm-how"), t(on ? "calm.how" : "calm.how.ready"));
    if (this.#room.language) about.show(this.element, this.#room, this.#state);
  }

  // A failure, and that screens are blank, must be seen.
  #fits() { return ["listening", "ready"].includes(this.#state) && !this.#room.blank; }

  #begin() {
    if (!this.#fits()) {
      this.wake();
      return;
    }
    for (let open = dialogs.topmost(); open; open = dialogs.topmost()) open.close();
    this.element.hidden = false;
    document.body.setAttribute("data-calm", "");
    this.#drift();
    this.#drifting = setInterval(() => this.#drift(), DRIFT_MS);
  }

  #drift() {
    const { style } = this.element;
    style.setProperty("--x", Math.random().toFixed(3));
    style.setProperty("--y", Math.random().toFixed(3));
  }
}
