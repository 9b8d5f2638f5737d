// Feelings, what words say, and sounds over the session: a chart with a row for each, and a table that says the same.

import { feeling, wording } from "./feeling.js";
import { soundWord, worthSaying } from "./line.js";
import { mask } from "./offending.js";
import { get } from "./settings.js";
import { setText, t } from "./words.js";

const MOST = 500; // as many as the page keeps lines

const byId = (id) => document.getElementById(id);
const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const nameOf = ({ sound, label, words }) => JSON.stringify([sound, label, words]);

function named({ sound, label, grade, words }) {
  if (words) return wording({ label: words });
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
    const { label, grade = "sure" } = (!sound && tags.emotion) || {};
    const words = sound ? undefined : worthSaying(tags.text_emotion)?.label;
    if (!final || !(sound || (text.trim() && (label || words)))) return;
    const mended = Boolean(tags.mended);
    const moment = { segment, start, end, text: text.trim(), label, grade, words, sound, mended };
    const known = this.#moments.find((m) => m.segment === segment);
    // Final words stay as they are, as on the page, unless they are mended, or that is undone.
    if (known && known.text !== moment.text && !mended && !known.mended) return;
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
    if (!on) this.#moments = this.#moments.map((m) => ({ ...m, label: undefined })).filter((m) => m.sound || m.words);
    this.draw();
  }

  draw() {
    if (!this.dialog.open) return;
    const moments = this.#moments.map((m) => ({ ...m, told: this.#told(m) })).filter(({ told }) => told.length);
    setText(byId("timeline-empty"), !this.#on ? t("timeline.off") : moments.length ? "" : t("timeline.empty"));
    byId("timeline-chart").replaceChildren(...(moments.length ? this.#rows(moments) : []));
    byId("timeline-table").hidden = !moments.length;
    byId("timeline-table").tBodies[0].replaceChildren(...moments.toReversed().map(tableRow));
  }

  // What is shown of a moment to this reader: a sound, or how it was said and what its words say.
  #told({ sound, label, grade, words }) {
    if (sound) return get("sounds") ? [{ sound }] : [];
    const heard = this.#on && label && (grade !== "likely" || get("emotion") !== "sure");
    const read = words && get("wording") && document.body.hasAttribute("data-wording");
    return [...(heard ? [{ label, grade }] : []), ...(read ? [{ words }] : [])];
  }

  #rows(moments) {
    const chart = byId("timeline-chart");
    const first = moments[0].start;
    const last = Math.max(...moments.map(({ end }) => end), first + 1);
    chart.setAttribute("aria-label", t("timeline.chart", { start: clock(first), end: clock(last) }));
    const all = moments.flatMap(({ start, end, told }) => told.map((one) => ({ start, end, ...one })));
    // Below each other: how things were said, what words say, sounds.
    const kinds = ["label", "words", "sound"].flatMap((kind) => all.filter((one) => one[kind]));
    const times = document.createElement("div");
    times.className = "times";
    for (const time of [first, last]) times.appendChild(document.createElement("span")).textContent = clock(time);
    const rows = [...new Set(kinds.map(nameOf))].map((name) => {
      const row = document.createElement("div");
      const own = all.filter((one) => nameOf(one) === name);
      const [{ sound, label, words }] = own;
      row.className = "moments";
      if (label) row.dataset.emotion = label;
      const track = document.createElement("div");
      track.className = "track";
      for (const { start, end, grade } of own) {
        const mark = document.createElement("i");
        mark.dataset.grade = grade;
        mark.style.insetInlineStart = `${(100 * (start - first)) / (last - first)}%`;
        mark.style.inlineSize = `${(100 * (end - start)) / (last - first)}%`;
        track.append(mark);
      }
      row.append(named({ sound, label, words }), track);
      return row;
    });
    return [...rows, times];
  }
}

function tableRow(moment) {
  const row = document.createElement("tr");
  row.insertCell().append(clock(moment.start));
  row.insertCell().append(...moment.told.flatMap((one, i) => (i ? [document.createElement("br"), named(one)] : [named(one)])));
  row.insertCell().append(mask(moment.text));
  row.lastElementChild.dir = "auto";
  return row;
}
