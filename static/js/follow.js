// Keeps the newest line in view, unless someone reads up; then nothing moves until they come back.

import { setText, t } from "./words.js";

const NEAR_END_PX = 48;

export class Follow {
  #missed = 0;
  #top = 0; // where the view was put last

  constructor(view, back) {
    this.view = view;
    this.back = back;
    this.following = true;
    view.addEventListener("scroll", () => this.#note(), { passive: true });
    back.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.keep()).observe(view);
    new ResizeObserver(() => this.keep()).observe(view.firstElementChild);
  }

  // A line was added, or the words changed.
  keep(added = false) {
    // Someone may have scrolled up within this frame, before the event that tells of it.
    if (this.following && this.view.scrollTop < this.#top - NEAR_END_PX) this.#note();
    if (this.following) {
      this.view.scrollTop = this.view.scrollHeight;
      this.#top = this.view.scrollTop;
    } else if (added) this.#missed += 1;
    this.reword();
  }

  toEnd() {
    this.following = true;
    this.#top = 0;
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
