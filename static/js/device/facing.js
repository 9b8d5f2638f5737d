// The screen that faces whoever speaks: their own words as they are heard, and the answer, large. How
// it looks stands in the address: ?lines=0&size=100&theme=dark&language=ko

import { fit } from "../fit.js";
import * as settings from "../settings.js";
import { setText } from "../words.js";

export const on = location.pathname.endsWith("/facing");

const DEFAULTS = { lines: "0", size: "100", theme: "dark", language: "auto", emotion: "off", wording: "false", loudness: "false", speakers: "false", shortcuts: "false", distance: "0" };

export function prepare() {
  if (!on) return;
  settings.fixFrom(location.search, DEFAULTS);
  document.documentElement.dataset.facing = "";
}

export class Facing {
  constructor() {
    this.element = document.getElementById("facing");
    this.text = document.getElementById("facing-text");
    if (!on) return;
    new ResizeObserver(() => this.#fit()).observe(this.element);
    document.fonts.addEventListener("loadingdone", () => this.#fit());
  }

  // "": none
  show(text) {
    if (!on) return;
    setText(this.text, text);
    this.element.hidden = !text;
    document.body.toggleAttribute("data-answered", Boolean(text));
    this.#fit();
  }

  #fit() { if (!this.element.hidden) fit(this.text); }
}
