// Keeps the screen on while captions are live, and knows why it cannot.

export class Awake {
  #wanted = false;
  #lock = null; // what the browser gave, while it holds
  #asking = false;
  #problem = ""; // insecure, absent or refused

  // `told`: called whenever it changes what holds.
  constructor(told) {
    this.told = told;
    document.addEventListener("visibilitychange", () => this.#ask());
  }

  // The key of what is to be said of it.
  get key() { return this.#problem || (this.#lock ? "on" : "off"); }

  want(on) {
    this.#wanted = on;
    if (on) this.#ask();
    else this.#release();
  }

  async #ask() {
    if (!this.#wanted || this.#lock || this.#asking || document.hidden) return;
    if (!navigator.wakeLock) {
      this.#tell(isSecureContext ? "absent" : "insecure");
      return;
    }
    this.#asking = true;
    try {
      this.#hold(await navigator.wakeLock.request("screen"));
    } catch {
      this.#tell("refused"); // until the page is shown anew, or the captions go on
    } finally {
      this.#asking = false;
    }
    if (!this.#wanted) this.#release(); // it was stopped meanwhile
  }

  #hold(lock) {
    this.#lock = lock;
    lock.addEventListener("release", () => {
      if (this.#lock !== lock) return;
      this.#lock = null;
      // A page that is hidden loses it, and asks again when it is shown.
      this.#tell(document.hidden ? "" : "refused");
    });
    this.#tell("");
  }

  #release() {
    const lock = this.#lock;
    this.#lock = null;
    lock?.release();
    this.#tell("");
  }

  #tell(problem) {
    this.#problem = problem;
    this.told();
  }
}
