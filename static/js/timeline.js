// Feelings and sounds over the session: a chart with a row for each of them, and a table that says the same.

import { feeling } from "./feeling.js";
import { soundWord } from "./line.js";
import { mask } from "./offending.js";
import { get } from "./settings.js";
import { setText, t } from "./words.js";

const MOST = 500; // as many as the page keeps lines

const byId = (id) => document.getElementById(id);
const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const nameOf = ({ sound, label }) => sound ?? label;

function named({ sound, label, grade }) {
  if (!sound) return feeling({ label, grade });
  const name = document.createElement("span");
  name.append(soundWord(sound));
  return name;
}

export class Timeline {
  #moments = [];
  #on = true;

  constructor() {
    this.dialog = byId("timeline");
    // Drawn when it is looked at, not for each line.
    new MutationObserver(() => this.draw()).observe(this.dialog, { attributeFilter: ["open"] });
  }

  add({ segment, start_s: start, end_s: end, text, final, tags = {}, sound }) {
    if (!final || !(sound || (text.trim() && tags.emotion))) return;
    const { label, grade = "sure" } = sound ? {} : tags.emotion;
    const moment = { segment, start, end, text: text.trim(), label, grade, sound };
    const known = this.#moments.find((m) => m.segment === segment);
    if (known && known.text !== moment.text) return; // final words stay as they are, as on the page
    this.#moments = this.#moments.filter((m) => m !== known); // the line is sent again
    this.#moments.push(moment);
    this.#moments.sort((a, b) => a.segment - b.segment);
    if (this.#moments.length > MOST) this.#moments.shift();
    this.draw();
  }

  clear() {
    this.#moments = [];
    this.draw();
  }

  setOn(on) {
    this.#on = on;
    if (!on) this.#moments = this.#moments.filter(({ sound }) => sound);
    this.draw();
  }

  draw() {
    if (!this.dialog.open) return;
    const sure = get("emotion") === "sure";
    const shown = ({ sound, grade }) => (sound ? get("sounds") : this.#on && (!sure || grade !== "likely"));
    const moments = this.#moments.filter(shown);
    setText(byId("timeline-empty"), !this.#on ? t("timeline.off") : moments.length ? "" : t("timeline.empty"));
    byId("timeline-chart").replaceChildren(...(moments.length ? this.#rows(moments) : []));
    byId("timeline-table").hidden = !moments.length;
    byId("timeline-table").tBodies[0].replaceChildren(...moments.toReversed().map(tableRow));
  }

  #rows(moments) {
    const chart = byId("timeline-chart");
    const first = moments[0].start;
    const last = Math.max(...moments.map(({ end }) => end), first + 1);
    chart.setAttribute("aria-label", t("timeline.chart", { start: clock(first), end: clock(last) }));
    const feelings = moments.filter(({ sound }) => !sound);
    const sounds = moments.filter(({ sound }) => sound); // below them
    const times = document.createElement("div");
    times.className = "times";
    for (const time of [first, last]) times.appendChild(document.createElement("span")).textContent = clock(time);
    const rows = [...new Set([...feelings, ...sounds].map(nameOf))].map((name) => {
      const row = document.createElement("div");
      const own = moments.filter((m) => nameOf(m) === name);
      const [{ sound, label }] = own;
      row.className = "moments";
      if (!sound) row.dataset.emotion = label;
      const track = document.createElement("div");
      track.className = "track";
      for (const { start, end, grade } of own) {
        const mark = document.createElement("i");
        mark.dataset.grade = grade;
        mark.style.insetInlineStart = `${(100 * (start - first)) / (last - first)}%`;
        mark.style.inlineSize = `${(100 * (end - start)) / (last - first)}%`;
        track.append(mark);
      }
      row.append(named({ sound, label }), track);
      return row;
    });
    return [...rows, times];
  }
}

function tableRow(moment) {
  const row = document.createElement("tr");
  for (const content of [clock(moment.start), named(moment), mask(moment.text)]) row.insertCell().append(content);
  row.lastElementChild.dir = "auto";
  return row;
}
