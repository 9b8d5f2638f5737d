// The panel of display settings: radios and steppers, each bound to a setting by its name.

import * as settings from "./settings.js";
import { setText, t } from "./words.js";

const NUMBERS = {
  size: (value) => `${value} %`,
  distance: (metres) => (metres ? t("settings.distance.value", { metres }) : t("settings.distance.auto")),
  screen: (inches) => t("settings.screen.value", { inches }),
  lines: (count) => (count ? String(count) : t("settings.lines.all")),
};

const panel = document.getElementById("settings");

export function prepare(display) {
  for (const row of panel.querySelectorAll("[data-stepper]")) {
    const [less, more] = row.querySelectorAll("button");
    less.addEventListener("click", () => settings.step(row.dataset.stepper, -1));
    more.addEventListener("click", () => settings.step(row.dataset.stepper, 1));
  }
  panel.addEventListener("change", ({ target }) => { // the room may add choices
    if (target.matches("input")) settings.set(target.name, target.type === "checkbox" ? target.checked : target.value);
  });
  document.getElementById("reset").addEventListener("click", settings.reset);
  show(display);
}

export function show(display) {
  for (const row of panel.querySelectorAll("[data-stepper]")) showStepper(row);
  for (const input of panel.querySelectorAll("input")) {
    input.checked = input.type === "checkbox" ? settings.get(input.name) : input.value === settings.get(input.name);
  }
  const plain = document.getElementById("plain");
  plain.setAttribute("aria-pressed", settings.get("plain"));
  setText(document.getElementById("reach"), t("settings.distance.fits", { metres: rounded(display.reach()) }));
}

// To the nearest tenth below ten metres, and never more exact than it is.
const rounded = (metres) => (metres < 10 ? metres.toFixed(1) : String(Math.round(metres)));

function showStepper(row) {
  const name = row.dataset.stepper;
  const title = t(`settings.${name}`);
  setText(row.querySelector("output"), NUMBERS[name](settings.get(name)));
  row.querySelectorAll("button").forEach((button, index) => {
    button.setAttribute("aria-label", t(index ? "settings.more" : "settings.less", { name: title }));
    // Not `disabled`: that would drop the focus of someone who presses on to the end.
    button.setAttribute("aria-disabled", settings.isAtEnd(name, index ? 1 : -1));
  });
}
