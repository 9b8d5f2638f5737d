// What the page does for the device that it is on: a telephone, a computer, a kiosk that nobody minds.

import { setText, t, currentLanguage } from "../words.js";
import * as about from "./about.js";
import { Attention, canVibrate } from "./attention.js";
import { Awake } from "./awake.js";
import { Calm } from "./calm.js";
import { Facing } from "./facing.js";
import * as fullscreen from "./fullscreen.js";
import { Lock } from "./lock.js";

const byId = (id) => document.getElementById(id);

export class Device {
  #room = {};
  #state = "connecting";

  // `overlay`: over another picture, where nothing but words is wanted
  constructor(follow, overlay) {
    this.awake = new Awake(() => this.#showAwake());
    this.attention = new Attention(byId("attention"));
    this.facing = new Facing();
    this.calm = overlay ? null : new Calm();
    this.lock = new Lock(() => follow.toEnd());
    fullscreen.prepare();
    document.querySelector("[name=attention][value=vibrate]").closest("label").hidden = !canVibrate();
  }

  setRoom(room) {
    this.#room = room;
    this.lock.setRoom(room);
    this.calm?.setRoom(room);
    if (room.blank) this.facing.show("");
    this.#showAbout();
  }

  // `again`: the page was away.
  setState(state, again) {
    this.#state = state;
    if (again) {
      this.attention.begin();
      this.facing.show(""); // the program tells anew what stands there
    }
    this.awake.want(["listening", "lost"].includes(state));
    this.calm?.setState(state);
    this.#showAbout();
  }

  heard(event) {
    this.calm?.wake();
    this.attention.take(event);
  }

  answer(text) {
    if (text) this.calm?.wake();
    this.facing.show(text);
  }

  endSession() { this.attention.endSession(); }

  reword() {
    fullscreen.reword();
    this.lock.reword();
    this.calm?.reword();
    this.#showAwake();
    this.#showAbout();
    const page = location.pathname.split("/").at(-1);
    byId("manifest").href = `app.webmanifest?${new URLSearchParams({ language: currentLanguage(), page })}`;
  }

  #showAwake() { setText(byId("awake"), t(`awake.${this.awake.key}`)); }

  // On the screen without words, for whoever comes by; a presenter is told what to press instead.
  #showAbout() {
    const place = byId("about-room");
    const { presenter, blank, language } = this.#room;
    place.hidden = presenter || blank || !language || !["listening", "ready"].includes(this.#state);
    if (!place.hidden) about.show(place, this.#room, this.#state);
  }
}
