// A remark among the lines, where they do not follow on each other.

import { currentLanguage, setText, t } from "./words.js";

export class Mark {
  #key;

  // `key`: of its words. `segment`: it stands before the lines that come after this one.
  constructor(key, segment) {
    this.#key = key;
    this.segment = segment;
    this.element = document.createElement("li");
    this.element.className = "mark";
    this.reword();
  }

  layOut() {}

  amend() {}

  calm() {}

  reword() {
    this.element.lang = currentLanguage();
    setText(this.element, t(this.#key));
  }
}
