// What the program is doing, always in words; silence and failure look different.

import { topmost } from "./dialogs.js";
import * as facing from "./device/facing.js";
import { showHint } from "./hint.js";
import { sentence, setText, t } from "./words.js";

const FAILED = ["lost", "error", "offline"];
const HERE = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
const byId = (id) => document.getElementById(id);

export class Status {
  #status = { state: "connecting", code: "connecting", message: "", engine: "", progress: null, quiet: false, offer: null, notices: [] };
  #room = { presenter: false, blank: false, saving: null, microphone: "" };
  #empty = true;
  #recording = false; // a recording stands in for the microphone; presenters are told
  #own; // at the computer itself, where whoever runs the program may become the presenter

  // `reading`: the page is only to read; `notSpoken`: the remarks without those that are told elsewhere
  constructor(reading, notices, notSpoken) {
    this.#own = HERE && !reading;
    this.notices = notices;
    this.notSpoken = notSpoken;
  }

  get state() { return this.#status.state; }
  get recording() { return ["listening", "lost"].includes(this.state); }

  show(status) {
    this.#status = status;
    this.#write();
  }

  // `reason`: what the program says of it, where it can be asked
  offline(reason = null) {
    this.show({ ...this.#status, state: "offline", code: "offline", notices: [], ...reason });
  }

  setRoom(room) {
    this.#room = room;
    this.#write();
  }

  setEmpty(empty) {
    if (this.#empty === empty) return;
    this.#empty = empty;
    this.#showHint();
  }

  setRecording(recording) {
    this.#recording = Boolean(recording);
    this.#showHint();
  }

  reword() { this.#write(); }

  #write() {
    const { state, engine, quiet, progress } = this.#status;
    const message = sentence(this.#status);
    const failed = FAILED.includes(state);
    document.body.dataset.state = state;
    document.body.toggleAttribute("data-quiet", state === "listening" && Boolean(quiet));
    byId("status").dataset.state = state;
    byId("status").setAttribute("aria-hidden", failed); // the alert says it already
    setText(byId("status"), message);
    setText(byId("alert"), failed ? message : "");
    alertOver(failed ? message : "");
    setText(byId("onair"), failed ? t("onair.lost") : state === "listening" ? t("onair.live") : "");
    setText(byId("engine"), engine);
    byId("level").hidden = state !== "listening" || !this.#room.presenter;
    this.#showRecord();
    this.#showMicrophone();
    showProgress(byId("progress"), state === "loading", progress);
    const { offer, notices } = this.#status;
    const wanted = this.#room.presenter && state !== "offline" ? offer : null;
    this.notices.show(this.notSpoken(notices ?? []), wanted, this.#room.presenter, this.#room.language);
    this.#showHint();
  }

  #showRecord() {
    const { state, engine } = this.#status;
    const record = byId("record");
    setText(record, t(this.recording ? "bar.stop" : "bar.start"));
    record.setAttribute("aria-pressed", this.recording);
    // An error after the engine was loaded can be tried again; one before it cannot.
    record.disabled = ["connecting", "loading", "offline"].includes(state) || (state === "error" && !engine);
  }

  // The device that is heard, for whoever presents: readers need not know what people call theirs.
  #showMicrophone() {
    const name = this.#room.presenter && this.#room.microphone;
    byId("microphone").hidden = !name || this.state !== "listening";
    setText(byId("microphone"), name ? t("bar.microphone", { name }) : "");
  }

  #showHint() {
    const { blank, presenter } = this.#room;
    showHint({ ...this.#status, empty: this.#empty, own: this.#own, blank, presenter, facing: facing.on, recording: this.#recording });
  }
}

// Behind an open window an alert is not heard, and on a phone not seen: it is said within too.
function alertOver(message) {
  const alert = byId("alert-over");
  const dialog = topmost();
  if (dialog && message && !dialog.contains(alert)) {
    setText(alert, ""); // it speaks where it now is, not where it was
    const header = dialog.querySelector("header");
    if (header) header.after(alert);
    else dialog.prepend(alert);
  }
  setText(alert, dialog ? message : "");
}

function showProgress(element, shown, fraction) {
  element.hidden = !shown;
  if (fraction === null || fraction === undefined) element.removeAttribute("value");
  else if (shown) element.value = fraction;
}
