// Keeps the newest line in view, unless someone reads up; then nothing moves until they come back.

import { setText, t } from "./words.js";

const NEAR_END_PX = 48;

export class Follow {
  #missed = 0;
  #top = 0; // where the view was put last,
  #height = 0; // and how tall its content was then

  constructor(view, back) {
    this.view = view;
    this.back = back;
    this.following = true;
    view.addEventListener("scroll", () => this.#note(), { passive: true });
    back.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.keep()).observe(view);
    new ResizeObserver(() => this.keep()).observe(view.firstElementChild);
  }

  // Before the words change: someone may have scrolled up within this frame, before the event
  // that tells of it. Where the content has changed already, the browser moved it.
  look() {
    const { scrollHeight, scrollTop } = this.view;
    if (this.following && scrollHeight === this.#height && scrollTop < this.#top - NEAR_END_PX) this.#note();
  }

  // A line was added, or the words changed.
  keep(added = false) {
    if (this.following) {
      this.view.scrollTop = this.view.scrollHeight;
      this.#top = this.view.scrollTop;
      this.#height = this.view.scrollHeight;
    } else if (added) this.#missed += 1;
    this.reword();
  }

  toEnd() {
    this.following = true;
    this.#missed = 0;
    if (document.activeElement === this.back) this.view.focus({ preventScroll: true });
    this.keep();
  }

  reword() {
    this.back.hidden = this.following;
    setText(this.back, this.#missed ? `${t("bar.back")} · ${t("bar.new", { count: this.#missed })}` : t("bar.back"));
  }

  #note() {
    const { scrollHeight, clientHeight, scrollTop } = this.view;
    this.following = scrollHeight - clientHeight - scrollTop <= NEAR_END_PX;
    if (this.following) this.#missed = 0;
    this.reword();
  }
}
