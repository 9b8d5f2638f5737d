// What a reader chose for this device: checked when read, remembered, told to whoever asks.

const KEY = "display";

// Every setting and its values, in the order in which a stepper or a key goes through them.
export const VALUES = {
  theme: ["auto", "dark", "light", "yellow"],
  size: [50, 63, 80, 100, 125, 160, 200, 250, 320, 400], // per cent
  distance: [0, 0.4, 0.7, 1, 1.5, 2, 3, 4, 5, 7, 10], // metres; 0: as fits the screen
  screen: [5, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 19, 22, 24, 27, 32, 40, 43, 50, 55, 65, 75, 85, 100],
  lines: [2, 3, 4, 5, 6, 7, 8, 9, 10, 0], // 0: all that fit
  font: ["clear", "dyslexic"],
  spacing: ["close", "normal", "wide"],
  emotion: ["all", "sure", "off"],
  wording: [true, false], // what words say, where the room has it
  loudness: [true, false],
  speakers: [true, false],
  sounds: [true, false],
  translate: ["auto", "off"], // and those that the room has; auto: the device's own, if it is one of them
  translation: ["under", "instead"], // of the words
  offending: ["room", "off", "first", "hidden"], // room: as the presenter has it
  plain: [false, true],
  attention: ["off", "flash", "vibrate"], // for the first words after a pause
  shortcuts: [true, false],
  language: ["auto"], // and those that the page has words for
};

const EVERYWHERE = { translate: VALUES.translate };

const DEFAULTS = {
  theme: "auto",
  size: 100,
  distance: 0,
  screen: likelyInches(),
  lines: 0,
  font: "clear",
  spacing: "normal",
  emotion: "all",
  wording: true,
  loudness: true,
  speakers: false, // a dash says that another voice speaks
  sounds: true,
  translate: "auto",
  translation: "under",
  offending: "room",
  plain: false,
  attention: "off",
  shortcuts: true,
  language: "auto",
};

const listeners = [];
let kept = {};
let chosen = {};
const fixed = {};

function likelyInches() {
  const longest = Math.max(screen.width, screen.height);
  if (longest < 1000) return 6; // a phone
  return longest < 1600 ? 14 : 24; // a laptop, or a screen of its own
}

// Storage may be refused or hold anything; captions must come all the same.
function recall() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

// What was chosen in another room, and is not to be had in this one.
const elsewhere = () => Object.fromEntries(Object.keys(EVERYWHERE).filter((name) => name in kept).map((name) => [name, kept[name]]));

function remember() {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...elsewhere(), ...chosen }));
  } catch { /* it holds until the page closes */ }
}

export function load(languages) {
  VALUES.language = ["auto", ...languages];
  kept = recall();
  chosen = Object.fromEntries(
    Object.keys(VALUES).filter((name) => VALUES[name].includes(kept[name])).map((name) => [name, kept[name]]),
  );
}

// Values that only some rooms have, beside those of every room; a choice of before holds where it is one of them.
export function offer(name, values) {
  VALUES[name] = [...EVERYWHERE[name], ...values];
  const before = chosen[name] ?? kept[name];
  if (VALUES[name].includes(before)) chosen[name] = before;
  else delete chosen[name];
}

export const get = (name) => fixed[name] ?? chosen[name] ?? DEFAULTS[name];

// Holds on this page whatever was chosen, and is not remembered.
export function fix(name, value) { fixed[name] = value; }

// So does what an address says, or else what is usual there.
export function fixFrom(search, usual) {
  const asked = new URLSearchParams(search);
  for (const [name, value] of Object.entries(usual)) {
    const written = (one) => VALUES[name].find((known) => String(known) === one) ?? (name in EVERYWHERE && /^[a-z]{2,3}$/.test(one) ? one : undefined);
    fix(name, written(asked.get(name)) ?? written(value));
  }
}

export function set(name, value) {
  if (!VALUES[name].includes(value) || value === get(name)) return;
  chosen[name] = value;
  kept[name] = value;
  remember();
  tell(name);
}

// The next value; a stepper stops at the ends, a key goes round.
export function step(name, by, round = false) {
  const values = VALUES[name];
  const next = values.indexOf(get(name)) + by;
  set(name, round ? values.at(next % values.length) : values[Math.min(Math.max(next, 0), values.length - 1)]);
}

export function isAtEnd(name, by) {
  return get(name) === VALUES[name].at(by < 0 ? 0 : -1);
}

export function reset() {
  chosen = {};
  kept = {};
  remember();
  Object.keys(VALUES).forEach(tell);
}

export function onChange(listener) {
  listeners.push(listener);
}

function tell(name) {
  for (const listener of listeners) listener(name, get(name));
}
