// What the presenter does for everyone: start, blank, clear, save, export.

import { setText, t } from "./words.js";

const CONFIRM_MS = 5000;

const byId = (id) => document.getElementById(id);

export class Room {
  #room = {};
  #confirming = 0;

  constructor(wire, status) {
    this.wire = wire;
    this.status = status;
    byId("record").addEventListener("click", (event) => {
      if (event.detail <= 1) this.record(); // the second half of a double press would undo the first
    });
    byId("clear").addEventListener("click", () => this.clear());
    byId("offer-fetch").addEventListener("click", ({ currentTarget }) => {
      if (currentTarget.ariaDisabled !== "true") wire.ask("fetch");
    });
    for (const [id, name] of [["room-blank", "blank"], ["room-emotion", "emotion"], ["room-sounds", "sounds"], ["room-save", "save"], ["room-locked", "lock"], ["room-answers", "answers"]]) {
      byId(id).addEventListener("change", async ({ target }) => {
        if (!(await wire.ask(name, { on: target.checked }))) this.#showSwitches();
      });
    }
    for (const input of document.querySelectorAll("[name=room_offending]")) {
      input.addEventListener("change", async () => {
        if (!(await wire.ask("offending", { how: input.value }))) this.#showSwitches();
      });
    }
    for (const input of document.querySelectorAll("[name=clear_after]")) {
      input.addEventListener("change", async () => {
        if (!(await wire.ask("clear_after", { minutes: Number(input.value) }))) this.#showSwitches();
      });
    }
  }

  record() {
    if (!byId("record").disabled) this.wire.ask(this.status.recording ? "stop" : "start");
  }

  blank() { this.wire.ask("blank", { on: !this.#room.blank }); }

  // The first press asks, the second within some seconds does it.
  async clear() {
    if (!this.#confirming) {
      this.#confirming = setTimeout(() => this.#calm(), CONFIRM_MS);
      this.#wordClear();
      if (!byId("room").open) byId("room").showModal();
      byId("clear").focus();
      return;
    }
    this.#calm();
    if (await this.wire.ask("clear")) setText(byId("room-said"), t("room.cleared"));
  }

  show(room) {
    this.#room = room;
    for (const element of document.querySelectorAll("[data-presenter-only]")) element.hidden = !room.presenter;
    if (!room.presenter && byId("room").open) byId("room").close();
    document.body.toggleAttribute("data-blank", room.blank);
    document.body.toggleAttribute("data-no-emotion", room.emotion === false);
    byId("guessing").hidden = room.emotion === false;
    byId("saving").hidden = !room.saving;
    this.#showSwitches();
  }

  reword() {
    this.#wordClear();
    this.#showSwitches();
  }

  #showSwitches() {
    const { blank, emotion, offending, saving, clear_after_min: minutes } = this.#room;
    byId("room-blank").checked = Boolean(blank);
    byId("room-emotion").checked = emotion !== false;
    byId("room-sounds").checked = this.#room.sounds !== false;
    byId("room-save").checked = Boolean(saving);
    byId("room-locked").checked = Boolean(this.#room.locked);
    byId("room-answers").checked = Boolean(this.#room.answers);
    const file = [saving?.folder, saving?.file].filter(Boolean).join("/");
    setText(byId("room-save-note"), saving ? t("room.save.on", { file }) : t("room.save.off"));
    const choices = [...document.querySelectorAll("[name=clear_after]")];
    const other = choices.at(-1); // what was set at the start, where it is none of the usual ones
    const usual = choices.slice(0, -1).some(({ value }) => Number(value) === minutes);
    other.closest("label").hidden = usual;
    if (!usual && minutes !== undefined) other.value = minutes;
    setText(other.nextElementSibling, t("room.clear_after.value", { minutes: other.value }));
    for (const input of choices) input.checked = Number(input.value) === minutes;
    for (const input of document.querySelectorAll("[name=room_offending]")) input.checked = input.value === offending;
  }

  #calm() {
    clearTimeout(this.#confirming);
    this.#confirming = 0;
    this.#wordClear();
  }

  #wordClear() {
    const asking = Boolean(this.#confirming);
    byId("clear").toggleAttribute("data-confirm", asking);
    setText(byId("clear"), t(asking ? "room.clear.confirm" : "room.clear"));
    setText(byId("room-said"), "");
  }
}
