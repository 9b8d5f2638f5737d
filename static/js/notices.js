// Remarks beside the state, and the offer of better captions: one place, above the bar. Each can be
// put away until it is over; one that comes anew is shown anew.

import { languageName, sentence, setText, t } from "./words.js";

const CAN_TRY = ["engine.waiting", "engine.kept"]; // the presenter may ask for another attempt
const byId = (id) => document.getElementById(id);

// What tells a remark from others: one that counts on stays the same.
const nameOf = ({ code, values, message }) => (isCounting(values) ? code : `${code} ${message}`);
const isCounting = (values) => values?.total_mb > 0;

export class Notices {
  #away = new Set();
  #shown = [];
  #offer = null;

  constructor(tryAgain) {
    this.list = byId("notices");
    this.tryAgain = tryAgain;
    byId("offer-away").addEventListener("click", () => this.#putAway(`offer ${this.#offer?.name}`));
  }

  // `offer`: a better model that can be fetched, for whoever presents; `language`: that is spoken.
  show(notices, offer, presenter, language) {
    this.#offer = offer;
    this.language = language;
    const there = [...notices.map(nameOf), `offer ${offer?.name}`];
    for (const name of this.#away) if (!there.includes(name)) this.#away.delete(name);
    this.#shown = notices;
    this.#showList(notices.filter((notice) => !this.#away.has(nameOf(notice))), presenter);
    this.#showOffer(offer);
    this.presenter = presenter;
  }

  #putAway(name) {
    this.#away.add(name);
    this.show(this.#shown, this.#offer, this.presenter, this.language);
    if (document.activeElement === document.body) byId("view").focus({ preventScroll: true });
  }

  #showList(notices, presenter) {
    const { list } = this;
    list.hidden = !notices.length;
    while (list.children.length > notices.length) list.lastElementChild.remove();
    while (list.children.length < notices.length) list.append(this.#item());
    notices.forEach((notice, i) => {
      const item = list.children[i];
      item.dataset.name = nameOf(notice);
      item.ariaLive = isCounting(notice.values) ? "off" : "polite"; // nobody wants to hear it count
      setText(item.querySelector("span"), sentence(notice));
      const { done_mb: done, total_mb: total } = notice.values ?? {};
      const progress = item.querySelector("progress");
      progress.hidden = !isCounting(notice.values);
      if (!progress.hidden) progress.value = done / total;
      const [again, away] = item.querySelectorAll("button");
      again.hidden = !presenter || !CAN_TRY.includes(notice.code);
      setText(again, again.hidden ? "" : t("notice.again"));
      away.setAttribute("aria-label", t("notice.away"));
      progress.setAttribute("aria-label", t("bar.progress"));
    });
  }

  #item() {
    const item = byId("notice-item").content.firstElementChild.cloneNode(true);
    const [again, away] = item.querySelectorAll("button");
    again.addEventListener("click", () => this.tryAgain());
    away.addEventListener("click", () => this.#putAway(item.dataset.name));
    return item;
  }

  #showOffer(offer) {
    byId("offer").hidden = !offer || this.#away.has(`offer ${offer.name}`);
    setText(byId("offer-text"), offer ? t("offer", { ...offer, language: languageName(this.language) }) : "");
    const button = byId("offer-fetch");
    setText(button, t(offer?.busy ? "offer.busy" : "offer.fetch"));
    // Not `disabled`: that would drop the focus of whoever has just pressed it.
    button.setAttribute("aria-disabled", Boolean(offer?.busy));
    byId("offer-away").setAttribute("aria-label", t("notice.away"));
  }
}
