// Keeps the newest line in view, unless a person scrolls up; then nothing moves until they come back.
// What moves the view besides (a box that comes or goes, another size, a font) is no person: the
// newest line is put back into view.

import { tidy } from "./edge.js";
import { setText, t } from "./words.js";

const NEAR_END_PX = 48;
const SWIPE_PX = 8; // a finger that has moved so far is no tap
const REST_MS = 300; // without a move, after which a hand has let go
const UPWARDS = ["ArrowUp", "PageUp", "Home"];

export class Follow {
  #missed = 0;
  #placed = { top: 0, shape: "" }; // where the view was put last, and how it was then
  #top = 0; // where it was seen last
  #held = false; // the bar beside it is being dragged
  #touched = null; // where a single finger lies
  #resting = 0;
  #kept = false; // something is looked at, and is not to move
  #returning = false; // to the end, against what still glides from before

  constructor(view, back) {
    this.view = view;
    this.lines = view.querySelector("#lines").children; // also where an extension takes them out
    this.back = back;
    this.following = true;
    this.onReturn = () => {}; // what is told when somebody goes to the end
    view.addEventListener("scroll", () => {
      this.look();
      this.#wait();
    }, { passive: true });
    back.addEventListener("click", () => this.toEnd());
    this.#watchHands();
    new ResizeObserver(() => this.keep()).observe(view);
    new ResizeObserver(() => this.keep()).observe(view.firstElementChild);
    // What else changes may move the view, if only in passing. Lines ask for themselves, and a
    // level changes all the time, and moves nothing.
    const watched = { attributes: true, childList: true, characterData: true, subtree: true };
    new MutationObserver((changes) => {
      if (changes.some(({ target }) => target.localName !== "meter" && !view.contains(target))) this.#place();
    }).observe(document.body, watched);
  }

  // Where is the view? Someone may have scrolled within this frame, before the event that tells of it.
  look() {
    const { top, end, shape } = this.#now();
    if (this.following) this.following = this.#returning || !this.#movedByHand(top, end, shape);
    else if (!this.#kept && end - top <= NEAR_END_PX && top > this.#top) this.following = true;
    if (this.following) this.#missed = 0;
    this.#top = top;
    this.#place();
    this.reword();
  }

  // A line was added, or the words changed.
  keep(added = false) {
    const { top, end } = this.#now();
    if (!this.following && !this.#kept && end <= 0) this.following = true; // all of it is in view
    else if (!this.following && added) this.#missed += 1;
    this.#top = top;
    this.#place();
    this.reword();
  }

  // Somebody looks at a line: nothing moves until they let go of it, or go to the end.
  hold() {
    this.#kept = true;
    this.following = this.#returning = false;
    this.#top = this.view.scrollTop;
    this.reword();
  }

  letGo() {
    this.#kept = false;
    this.keep();
  }

  toEnd() {
    this.#kept = false;
    this.onReturn();
    this.following = this.#returning = true;
    this.#missed = 0;
    if (document.activeElement === this.back) this.view.focus({ preventScroll: true });
    this.keep();
    this.#wait();
  }

  reword() {
    if (!this.following) this.#tidy();
    const near = this.following || (this.#kept && this.#now().end <= 0);
    if (this.back.hidden !== near) this.back.hidden = near;
    setText(this.back, this.#missed ? `${t("bar.back")} · ${t("bar.new", { count: this.#missed })}` : t("bar.back"));
  }

  #tidy() { tidy(this.view, this.lines, this.following); }

  #now() {
    const { scrollTop, scrollHeight, clientHeight, clientWidth } = this.view;
    return { top: scrollTop, end: scrollHeight - clientHeight, shape: `${scrollHeight} ${clientHeight} ${clientWidth}` };
  }

  // Up from where it was put, while nothing else has changed, or with a hand on the bar beside it.
  #movedByHand(top, end, shape) {
    if (this.#held) return top < Math.min(this.#placed.top, end) - 1;
    return shape === this.#placed.shape && top < this.#placed.top - NEAR_END_PX;
  }

  #place() {
    if (!this.following) return;
    const { top, end, shape } = this.#now();
    if (this.#placed.shape === shape && (this.#held || top === this.#placed.top)) return;
    this.view.scrollTop = end;
    this.#top = this.view.scrollTop;
    this.#placed = { top: this.#top, shape };
    this.#tidy();
  }

  // A hand is seen before the view moves, so that no word that comes in between takes it back.
  #watchHands() {
    const { view } = this;
    view.addEventListener("wheel", (event) => {
      if (event.deltaY < 0 && !event.ctrlKey) this.#stop();
    }, { passive: true });
    view.addEventListener("keydown", (event) => {
      const { key, shiftKey, altKey } = event;
      if (!altKey && (UPWARDS.includes(key) || (key === " " && shiftKey))) this.#stop();
    });
    view.addEventListener("touchstart", ({ touches }) => {
      this.#touched = touches.length === 1 ? touches[0].clientY : null;
    }, { passive: true });
    view.addEventListener("touchmove", ({ touches }) => {
      if (this.#touched !== null && touches[0].clientY > this.#touched + SWIPE_PX) this.#stop();
    }, { passive: true });
    view.addEventListener("pointerdown", ({ target, pointerType, offsetX }) => {
      const beside = offsetX < 0 || offsetX >= view.clientWidth;
      this.#held = target === view && pointerType === "mouse" && beside;
      this.#returning = false;
    });
    for (const name of ["touchend", "touchcancel"]) {
      view.addEventListener(name, () => {
        this.#touched = null;
        this.#wait();
      });
    }
    for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => { this.#held = false; });
    addEventListener("pointermove", ({ buttons }) => { if (!buttons) this.#held = false; });
  }

  #stop() {
    this.#returning = false;
    if (!this.following || this.view.scrollTop <= 0) return;
    this.following = false;
    this.#top = this.view.scrollTop;
    this.reword();
    this.#wait();
  }

  #wait() {
    clearTimeout(this.#resting);
    if (!this.following || this.#returning) this.#resting = setTimeout(() => this.#rest(), REST_MS);
  }

  // As good as at the end is at the end, once no hand moves the view.
  #rest() {
    const { top, end } = this.#now();
    this.#returning = false;
    if (this.following) this.#place(); // what glided on after the last move
    else if (this.#held || this.#touched !== null) this.#wait();
    else if (!this.#kept && end - top <= NEAR_END_PX) this.toEnd();
  }
}
