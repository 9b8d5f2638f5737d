// A soft flash or a vibration for the first words after a pause, where a reader wants that. No sound:
// whoever wears a hearing aid that is paired with this device would hear it.

import { get } from "../settings.js";

const PAUSE_MS = 30_000; // without words, after which the next ones are new
const FLASH_MS = 1500; // once in a pause at the most: far from three in a second (WCAG 2.3.1)
const VIBRATION_MS = [180, 120, 180];

export const canVibrate = () => typeof navigator.vibrate === "function";

export class Attention {
  #last = performance.now();
  #newest = -1;
  #calming = 0;

  constructor(element) { this.element = element; }

  // What was said before, or while the page was away, is not new.
  begin() { this.#last = performance.now(); }

  // Words came.
  take({ segment, text }) {
    if (!text.trim()) return;
    const now = performance.now();
    const paused = now - this.#last >= PAUSE_MS;
    const newer = segment > this.#newest;
    this.#last = now;
    this.#newest = Math.max(this.#newest, segment);
    if (paused && newer) this.#call();
  }

  endSession() { this.#newest = -1; }

  #call() {
    const how = get("attention");
    if (how === "vibrate" && canVibrate()) navigator.vibrate(VIBRATION_MS);
    if (how !== "flash") return;
    this.element.hidden = false;
    clearTimeout(this.#calming);
    this.#calming = setTimeout(() => { this.element.hidden = true; }, FLASH_MS);
  }
}
