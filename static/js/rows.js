// Where a caption falls into rows. Each break depends on the words up to it alone, so text that
// grows at its end keeps every row that was shown; and a row that is nearly full ends early where
// a new phrase begins, so that a phrase is not cut (DCMP and BBC: not after a preposition, an
// article or a conjunction).

const EARLY = 0.68; // of the row, after which the end of a phrase ends it
const LEAST = 0.45; // of the row, before which it is not ended
// A word that leads a phrase opens a new row if as much as this would not fit behind it.
const AFTER_HEAD = "the station";
const AFTER_DETERMINER = "station";
const AFTER_TITLE = "Richardson";
const AFTER_NUMBER = "million";
const ENDS_PHRASE = /[.,;:!?…。、，？！]["'”’)\]]*$/u;
const HEADS = new Set(
  ("and but or so because that which who when where while if than as of in on at to for from with by " +
    "about after before into over under between through during without within against until since " +
    "near behind beside across along among around beyond except than upon via whether").split(" "),
);
// They belong to what follows them, and to a head that stands before them.
const DETERMINERS = new Set("the a an this that these those my your his her its our their no every each some".split(" "));
// Their full stop ends no phrase. A title and an initial belong to the name that follows.
const TITLES = new Set("mr. mrs. ms. mx. dr. prof. st. mt. rev. gen. col. capt. sgt. lt. hon. fig.".split(" "));
const ABBREVIATIONS = new Set("jr. sr. vs. etc. approx. dept. vol. inc. ltd. co.".split(" "));
const INITIAL = /^(?!i\.)\p{L}\.$/u;
const LETTERS = /^(\p{L}\.){2,}$/u; // e.g. i.e. p.m. U.S.
const NUMBER = /^\p{Sc}?\d[\d.,:]*$/u; // belongs to what it counts

const canvas = document.createElement("canvas").getContext("2d");
let widths = new Map();
let wordSpacing = 0; // pixels that are added to the gap between two words

// Measure in this font from now on.
export function setFont(font, spacing = 0) {
  canvas.font = font;
  wordSpacing = spacing;
  widths = new Map();
}

export function widthOf(word) {
  let width = widths.get(word);
  if (width === undefined) {
    width = canvas.measureText(word).width + wordSpacing * (word.split(" ").length - 1);
    if (widths.size > 5000) widths.clear();
    widths.set(word, width);
  }
  return width;
}

// Height of capitals as part of the font's size.
export function capitalHeight() {
  const size = parseFloat(canvas.font.match(/[\d.]+px/)[0]);
  return canvas.measureText("H").actualBoundingBoxAscent / size;
}

const bare = (word) => word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
// As it is written, without what opens or closes around it.
const plain = (word) => word.toLowerCase().replace(/^["'“‘(\[]+|["'”’)\]]+$/gu, "");

const isTitle = (word) => TITLES.has(word) || INITIAL.test(word);
const isNumber = (word) => NUMBER.test(word) && !ENDS_PHRASE.test(word);
const endsPhrase = (word) => ENDS_PHRASE.test(word) && !isTitle(plain(word)) && !ABBREVIATIONS.has(plain(word)) && !LETTERS.test(plain(word));

// What must fit behind a word that belongs to what follows it, and nothing where it does not.
function needed(word) {
  if (HEADS.has(bare(word))) return AFTER_HEAD;
  if (DETERMINERS.has(bare(word))) return AFTER_DETERMINER;
  if (isTitle(plain(word))) return AFTER_TITLE;
  return isNumber(plain(word)) ? AFTER_NUMBER : "";
}

// Whether the row, filled so far, had better end before this word.
function endsEarly(word, before, used, rowWidth) {
  if (used < LEAST * rowWidth) return false;
  if (endsPhrase(before)) return used > EARLY * rowWidth;
  if (needed(before)) return false;
  const rest = needed(word);
  return Boolean(rest) && used + widthOf(" ") * 2 + widthOf(word) + widthOf(rest) > rowWidth;
}

// The text with its breaks as newlines. `indent`: what the first row holds already, in pixels.
export function breakRows(text, rowWidth, indent = 0) {
  const words = text.trim().split(/\s+/);
  const space = widthOf(" ");
  let broken = words[0];
  let used = indent + widthOf(words[0]);
  for (let i = 1; i < words.length; i += 1) {
    const width = widthOf(words[i]);
    const full = used + space + width > rowWidth;
    if (full || endsEarly(words[i], words[i - 1], used, rowWidth)) {
      broken += `\n${words[i]}`;
      used = width > rowWidth ? width % rowWidth : width;
    } else {
      broken += ` ${words[i]}`;
      used += space + width;
    }
  }
  return broken;
}
