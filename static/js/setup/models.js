// The second step: the language, and what recognises it: here, or to be fetched; how good, how fast.

import { showChoices } from "./choices.js";
import { currentLanguage, languageName, setText, t } from "../words.js";

const SHOWN = 4; // the others are folded away
const CHIPS = 5;
const QUICK = 0.5; // seconds of work for a second of speech, up to which words come soon,
const ENOUGH = 1; // and up to which it keeps up
const byId = (id) => document.getElementById(id);
const dialog = byId("setup");

const size = (mb) => (mb >= 1000 ? `${(mb / 1000).toFixed(1)} GB` : `${mb} MB`);

export class Models {
  #told;
  #fetch;
  #engine;
  #chips = [];

  // `told`: the last event of each name, from before this was loaded.
  constructor(wire, state, told) {
    this.wire = wire;
    this.state = state;
    this.#told = told.setup_recognisers ?? null;
    this.#fetch = told.setup_fetch ?? {};
    this.#engine = told.status?.engine ?? "";
    wire.socket.on("setup_recognisers", (told) => { this.#told = told; this.show(); });
    wire.socket.on("setup_fetch", (fetch) => {
      const over = this.#fetch.name && !fetch.name;
      this.#fetch = fetch;
      if (over && dialog.open) wire.ask("setup_look");
      this.show();
    });
    wire.socket.on("status", ({ engine }) => { this.#engine = engine; this.show(); });
    byId("setup-more").addEventListener("change", ({ target }) => this.#speak(target.value));
  }

  async #speak(code) {
    await this.wire.ask("choose", { name: "language", value: code });
    this.show();
  }

  show() {
    const settings = this.state()?.settings;
    if (!dialog.open || !this.#told || !settings) return;
    const { languages, hears, recognisers } = this.#told;
    const chosen = settings.language.value.split("-")[0].toLowerCase();
    this.#showLanguages(languages, chosen, Boolean(settings.language.by));
    setText(byId("setup-engine"), this.#engine ? t("setup.engine", { engine: this.#engine }) : "");
    setText(byId("setup-deaf"), hears ? "" : t("setup.deaf", { language: languageName(chosen) }));
    const automatic = { name: "", here: true, automatic: true };
    const list = hears ? [automatic, ...recognisers] : recognisers;
    // Whoever is asked for, being fetched or here is never folded away.
    const first = list.filter((one, i) => i < SHOWN || one.here || one.done_mb || one.name === this.#fetch.name || one.name === settings.model.value);
    this.#showList(byId("setup-models"), first);
    this.#showList(byId("setup-others").querySelector("ul"), list.filter((one) => !first.includes(one)));
    byId("setup-others").hidden = first.length === list.length;
  }

  #showLanguages(languages, chosen, fixed) {
    const wanted = [chosen, ...navigator.languages.map((tag) => tag.split("-")[0].toLowerCase()), "en", "ko"];
    const codes = [...new Set([...this.#chips, ...wanted])].filter((code) => languages.includes(code) || code === chosen);
    this.#chips = codes.slice(0, CHIPS).includes(chosen) ? codes.slice(0, CHIPS) : [chosen, ...codes].slice(0, CHIPS);
    const chips = this.#chips.map((code) => [code, languageName(code)]);
    showChoices(byId("setup-languages"), "setup_language", chips, { chosen, fixed, choose: (code) => this.#speak(code) });
    const more = byId("setup-more");
    const sorted = languages.map((code) => [languageName(code), code]).sort(([a], [b]) => a.localeCompare(b, currentLanguage()));
    const options = sorted.map(([name, code]) => new Option(name, code, false, code === chosen));
    if (more !== document.activeElement) more.replaceChildren(...options);
    more.value = chosen;
    more.disabled = fixed;
  }

  // An item keeps its place and its buttons while it changes, so that the focus stays.
  #showList(list, models) {
    const there = new Map([...list.children].map((item) => [item.dataset.name, item]));
    const items = models.map((model) => there.get(model.name) ?? this.#item(model.name));
    items.forEach((item, i) => { if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null); });
    while (list.children.length > items.length) list.lastElementChild.remove();
    models.forEach((model, i) => this.#fill(items[i], model));
  }

  #item(name) {
    const item = document.createElement("li");
    item.dataset.name = name;
    const title = document.createElement("b");
    const actions = Object.assign(document.createElement("span"), { className: "actions" });
    for (const [act, ask] of [["use", "choose"], ["measure", "model_measure"], ["get", "model_get"], ["pause", "model_pause"], ["cancel", "model_cancel"]]) {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      button.dataset.act = act;
      button.addEventListener("click", () => this.#ask(act, ask, name));
      actions.append(button);
    }
    const facts = Object.assign(document.createElement("div"), { className: "facts" });
    const progress = document.createElement("progress");
    const reason = Object.assign(document.createElement("p"), { className: "reason" });
    reason.setAttribute("role", "status");
    item.append(title, actions, facts, progress, reason);
    return item;
  }

  #ask(act, ask, name) {
    if (act === "use") this.wire.ask("choose", { name: "model", value: name });
    else this.wire.ask(ask, act === "pause" ? {} : { name });
  }

  #fill(item, model) {
    const { model: chosen } = this.state().settings;
    const fetching = this.#fetch.name === model.name && model.name ? this.#fetch.state : model.done_mb ? "paused" : "";
    const running = ["fetching", "waiting"].includes(fetching);
    const [title, actions, facts, progress, reason] = item.children;
    const label = model.automatic ? t("setup.model.automatic") : model.label;
    setText(title, label);
    item.toggleAttribute("data-chosen", chosen.value === model.name);
    const fixed = Boolean(chosen.by);
    const measuring = this.#told.measuring === model.name && this.#told.measuring !== "";
    const shown = {
      use: model.here && !fixed,
      measure: model.here && !model.automatic,
      get: !model.here && !model.cannot && fetching !== "fetching",
      pause: running,
      cancel: Boolean(fetching),
    };
    const words = {
      use: chosen.value === model.name ? "setup.model.chosen" : "setup.model.use",
      measure: measuring ? "setup.model.measuring" : "setup.model.measure",
      get: fetching === "waiting" ? "notice.again" : fetching === "paused" ? "setup.model.go_on" : "setup.model.get",
      pause: "setup.model.pause",
      cancel: "setup.model.cancel",
    };
    for (const button of actions.children) {
      const { act } = button.dataset;
      button.hidden = !shown[act];
      setText(button, t(words[act]));
      button.setAttribute("aria-label", `${t(words[act])}: ${label}`);
    }
    actions.firstElementChild.setAttribute("aria-pressed", chosen.value === model.name);
    const lines = model.automatic ? [t("setup.model.automatic.note")] : this.#facts(model);
    while (facts.children.length > lines.length) facts.lastElementChild.remove();
    while (facts.children.length < lines.length) facts.append(document.createElement("p"));
    lines.forEach((line, i) => setText(facts.children[i], line));
    const done = this.#fetch.name === model.name ? this.#fetch.done_mb : model.done_mb;
    progress.hidden = !fetching || fetching === "failed";
    progress.max = this.#fetch.name === model.name ? this.#fetch.total_mb || 1 : model.size_mb || 1;
    progress.value = done ?? 0;
    progress.setAttribute("aria-label", t("bar.progress"));
    const failed = ["failed", "waiting"].includes(fetching) ? this.#fetch.reason : "";
    setText(reason, failed || (model.cannot ? t(`setup.cannot.${model.cannot}`) : ""));
  }

  #facts(model) {
    const lines = [];
    const place = model.inside ? t("setup.model.inside") : model.here ? t("setup.model.here") : t("setup.model.size", { size: size(model.size_mb) });
    const parts = [place, t(model.while_spoken ? "setup.model.live" : "setup.model.whole")];
    if (model.recommended) parts.unshift(t("setup.model.recommended"));
    if (model.wants_gpu) parts.push(t("setup.model.gpu"));
    lines.push(parts.join(" · "));
    if (model.errors) lines.push(t("setup.model.errors", { errors: model.errors }));
    const work = this.#told.speeds[model.name];
    if (work !== undefined) {
      const verdict = work <= QUICK ? "quick" : work <= ENOUGH ? "enough" : "slow";
      lines.push(t(`setup.speed.${verdict}`, { work: work.toFixed(2) }));
    }
    const running = this.#fetch.name === model.name && ["fetching", "waiting", "paused"].includes(this.#fetch.state);
    if (running || model.done_mb) {
      const done = this.#fetch.name === model.name ? this.#fetch.done_mb : model.done_mb;
      const total = this.#fetch.name === model.name ? this.#fetch.total_mb : model.size_mb;
      lines.push(t("setup.model.progress", { done, total }));
    }
    return lines;
  }
}
