// The lock on a reader's controls, as the presenter wishes: a long press opens it for a while. By
// keyboard the same key is held; what presses for somebody (a screen reader) need not hold.

import * as dialogs from "../dialogs.js";
import { setText, t } from "../words.js";

const HOLD_MS = 3000;
const OPEN_MS = 60_000; // without a touch, after which it locks again
const LIVE_MS = 20_000; // and after which a locked page is at its newest words
const KEYS = ["Enter", " "];
const TOUCHES = ["pointerdown", "keydown", "wheel"];

export class Lock {
  #wanted = false;
  #open = false;
  #since = 0; // of the hold, by the clock of the page
  #frame = 0;
  #waiting = 0;

  // `back`: brings the newest words into view
  constructor(back) {
    this.back = back;
    this.button = document.getElementById("unlock");
    this.#watchHold();
    for (const name of TOUCHES) addEventListener(name, () => this.#wait(), { passive: true, capture: true });
    for (const name of ["contextmenu", "dragstart", "selectstart"]) {
      addEventListener(name, (event) => { if (this.locked) event.preventDefault(); });
    }
    addEventListener("wheel", (event) => { if (this.locked && event.ctrlKey) event.preventDefault(); }, { passive: false });
  }

  get locked() { return this.#wanted && !this.#open; }

  setRoom({ presenter, locked }) {
    this.#wanted = Boolean(locked) && !presenter;
    if (!this.#wanted) this.#open = false;
    this.#show();
  }

  reword() { this.#show(); }

  #show() {
    const { locked } = this;
    if (locked && !document.body.hasAttribute("data-locked")) {
      for (let open = dialogs.topmost(); open; open = dialogs.topmost()) open.close();
    }
    document.body.toggleAttribute("data-locked", locked);
    this.button.hidden = !locked;
    setText(this.button.querySelector("span"), t(this.#since ? "lock.holding" : "lock.hold"));
    setText(document.getElementById("unlocked"), this.#open ? t("lock.open") : "");
    this.#wait();
  }

  // A touch puts off what comes by itself: the lock, and the way back to the newest words.
  #wait() {
    clearTimeout(this.#waiting);
    if (!this.#wanted) return;
    this.#waiting = setTimeout(() => {
      if (this.locked) this.back();
      this.#open = false;
      this.#show();
    }, this.#open ? OPEN_MS : LIVE_MS);
  }

  #watchHold() {
    const { button } = this;
    button.addEventListener("pointerdown", (event) => {
      button.setPointerCapture(event.pointerId);
      this.#begin();
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) button.addEventListener(name, () => this.#end());
    button.addEventListener("keydown", (event) => {
      if (!KEYS.includes(event.key)) return;
      event.preventDefault();
      if (!event.repeat) this.#begin();
    });
    button.addEventListener("keyup", (event) => {
      if (!KEYS.includes(event.key)) return;
      event.preventDefault();
      this.#end();
    });
    button.addEventListener("click", (event) => {
      if (event.detail === 0) this.#begin(); // neither finger nor key
    });
  }

  #begin() {
    if (this.#since) return;
    this.#since = performance.now();
    setText(this.button.querySelector("span"), t("lock.holding"));
    this.#step();
  }

  #step() {
    const part = Math.min(1, (performance.now() - this.#since) / HOLD_MS);
    this.button.style.setProperty("--held", part);
    if (part < 1) {
      this.#frame = requestAnimationFrame(() => this.#step());
      return;
    }
    this.#open = true;
    this.#end();
    this.#show();
    document.querySelector(".tools button:not([hidden])")?.focus();
  }

  #end() {
    if (!this.#since) return;
    cancelAnimationFrame(this.#frame);
    this.#since = 0;
    this.button.style.setProperty("--held", 0);
    setText(this.button.querySelector("span"), t("lock.hold"));
  }
}
