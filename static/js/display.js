// Puts the reader's settings on the page: colours, font, size, rows.

import { get } from "./settings.js";
import { capitalHeight, setFont, widthOf } from "./rows.js";
import { keysOf, t } from "./words.js";

const LETTER_PART = 0.0087; // height of capitals over viewing distance: 30 arc minutes
// As parts of the size of the captions, and as in captions.css:
const FACE = 0.92;
const FACE_WORD = 0.56; // beside the captions
const FACE_GAP = 0.4;
const LEAST_ROW = 16; // what a gutter must leave: about 32 characters
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
    for (const name of ["wording", "loudness", "speakers", "sounds"]) root.dataset[name] = get(name) ? "on" : "off";
    root.toggleAttribute("data-plain", get("plain"));
    root.style.setProperty("--text-scale", get("size") / 100);
    root.style.setProperty("--leading", SPACING[get("spacing")]);
    root.style.setProperty("--lines", get("lines") || 1000);
    this.layOut();
  }

  // Size and rows, which hang on the font and the window.
  layOut() {
    this.follow.look();
    const { view } = this.follow;
    const { fontFamily } = getComputedStyle(view);
    setFont(`400 100px ${fontFamily}`);
    const metres = get("distance");
    if (metres) {
      const capitals_mm = LETTER_PART * metres * 1000;
      root.style.setProperty("--base-size", `${(capitals_mm * pixelsPerMm()) / capitalHeight()}px`);
    } else root.style.removeProperty("--base-size");
    const { fontSize, wordSpacing } = getComputedStyle(view);
    const width = view.firstElementChild.clientWidth - this.#setGutter(parseFloat(fontSize), fontFamily);
    // As the loudest words are the widest, rows are measured by them: loudness moves no word.
    const weight = getComputedStyle(root).getPropertyValue("--loud");
    setFont(`${weight} ${fontSize} ${fontFamily}`, parseFloat(wordSpacing) || 0);
    this.captions.layOut(width);
    this.follow.keep();
  }

  // Keep a place for the feelings, as wide as the longest of their words; what it takes of a row.
  #setGutter(size, fontFamily) {
    const { view } = this.follow;
    const on = root.dataset.emotion !== "off" && !document.body.hasAttribute("data-no-emotion");
    const wording = get("wording") && !get("plain") && document.body.hasAttribute("data-wording");
    setFont(`600 ${FACE_WORD * size}px ${fontFamily}`);
    const words = keysOf("emotion.").filter((key) => !key.startsWith("emotion.likely")).map((key) => t("emotion.likely", { word: t(key) }));
    const gutter = Math.max(FACE * size, ...words.map(widthOf)) + FACE_GAP * size;
    const beside = view.firstElementChild.clientWidth - gutter >= LEAST_ROW * size;
    // A row above holds what the words say, too; a gutter for both would take too much.
    const feelings = wording ? "above" : on ? (beside ? "beside" : "above") : "off";
    if (view.dataset.feelings !== feelings) view.dataset.feelings = feelings;
    const taken = feelings === "beside" ? gutter : 0;
    view.style.setProperty("--gutter", `${taken}px`);
    return taken;
  }

  // From how far the letters can be read now, in metres.
  reach() {
    const size = parseFloat(getComputedStyle(this.follow.view).fontSize);
    return (size * capitalHeight()) / pixelsPerMm() / LETTER_PART / 1000;
  }
}
