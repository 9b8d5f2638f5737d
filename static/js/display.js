// Puts the reader's settings on the page: colours, font, size, rows.

import { get } from "./settings.js";
import { capitalHeight, setFont } from "./rows.js";

const LETTER_PART = 0.0087; // height of capitals over viewing distance: 30 arc minutes
const LOUD = 580; // weight, as in captions.css
const MM_PER_INCH = 25.4;
const SPACING = { close: 1.15, normal: 1.3, wide: 1.6 };

const root = document.documentElement;
const light = matchMedia("(prefers-color-scheme: light)");

function theme() {
  const chosen = get("theme");
  if (chosen !== "auto") return chosen;
  return light.matches ? "light" : "dark";
}

function pixelsPerMm() {
  return Math.hypot(screen.width, screen.height) / (get("screen") * MM_PER_INCH);
}

export class Display {
  constructor(captions, follow) {
    this.captions = captions;
    this.follow = follow;
    light.addEventListener("change", () => this.apply());
    new ResizeObserver(() => this.layOut()).observe(follow.view);
    document.fonts.addEventListener("loadingdone", () => this.layOut());
  }

  apply() {
    root.dataset.theme = theme();
    root.dataset.font = get("font");
    root.dataset.emotion = get("plain") ? "off" : get("emotion");
    root.toggleAttribute("data-plain", get("plain"));
    root.style.setProperty("--text-scale", get("size") / 100);
    root.style.setProperty("--leading", SPACING[get("spacing")]);
    root.style.setProperty("--lines", get("lines") || 1000);
    this.layOut();
  }

  // Size and rows, which hang on the font and the window.
  layOut() {
    this.follow.look();
    const line = this.captions.live.element;
    const { fontFamily } = getComputedStyle(line);
    setFont(`400 100px ${fontFamily}`);
    const metres = get("distance");
    if (metres) {
      const capitals_mm = LETTER_PART * metres * 1000;
      root.style.setProperty("--base-size", `${(capitals_mm * pixelsPerMm()) / capitalHeight()}px`);
    } else root.style.removeProperty("--base-size");
    const size = parseFloat(getComputedStyle(this.follow.view).fontSize);
    // As the loudest words are the widest, rows are measured by them: loudness moves no word.
    setFont(`${LOUD} ${size}px ${fontFamily}`);
    this.captions.layOut(this.follow.view.firstElementChild.clientWidth);
    this.follow.keep();
  }

  // From how far the letters can be read now, in metres.
  reach() {
    const size = parseFloat(getComputedStyle(this.follow.view).fontSize);
    return (size * capitalHeight()) / pixelsPerMm() / LETTER_PART / 1000;
  }
}
