// The rooms, looked at anew now and then: a list for readers; for an operator all of each, and its
// buttons.

import * as settings from "./settings.js";
import { apply, load, sentence, setText, t } from "./words.js";

const LOOK_MS = { reader: 3000, operator: 1000 };
const PATIENCE_MS = 8000; // a room has four seconds to answer
const MARK = "#operate=";

const byId = (id) => document.getElementById(id);
const languages = Object.keys(JSON.parse(document.body.dataset.languages));
const light = matchMedia("(prefers-color-scheme: light)");
const until = () => AbortSignal.timeout(PATIENCE_MS);

function paint() {
  const chosen = settings.get("theme");
  const automatic = light.matches ? "light" : "dark";
  document.documentElement.dataset.theme = chosen === "auto" ? automatic : chosen;
  document.documentElement.dataset.font = settings.get("font");
}

async function ask(found, order, on) {
  const body = JSON.stringify({ room: found.dataset.room, order, on });
  const headers = { "Content-Type": "application/json" };
  let answer = { message: t("rooms.failed") };
  try {
    answer = await (await fetch("rooms/order", { method: "POST", body, headers, signal: until() })).json();
  } catch {
    // said below
  }
  setText(found.querySelector(".refusal"), answer.ok ? "" : sentence(answer));
}

function item(room) {
  const found = byId("room-item").content.firstElementChild.cloneNode(true);
  found.dataset.room = room.name;
  setText(found.querySelector(".name"), room.name);
  for (const order of ["listen", "blank"]) {
    const button = found.querySelector(`.${order}`);
    button.addEventListener("click", () => ask(found, order, button.getAttribute("aria-pressed") !== "true"));
  }
  apply(found);
  return found;
}

const seconds = (number) => (number < 10 ? number.toFixed(1) : Math.round(number));

function facts({ engine, delay_s: delay, said_s: said, readers }) {
  const told = [engine, t("rooms.readers", { count: readers })];
  if (Number.isFinite(delay)) told.push(t("rooms.delay", { seconds: seconds(delay) }));
  if (Number.isFinite(said)) told.push(said < 60 ? t("rooms.said", { seconds: said }) : t("rooms.said.long", { minutes: Math.floor(said / 60) }));
  return told.filter(Boolean).join(" · ");
}

function press(button, on, word, name) {
  button.setAttribute("aria-pressed", Boolean(on));
  button.setAttribute("aria-label", `${t(word)}: ${name}`);
  setText(button, t(word));
}

function showOperated(there, room) {
  setText(there.querySelector(".facts"), facts(room));
  const meter = there.querySelector("meter");
  meter.hidden = room.state !== "listening" || room.level_db === null;
  meter.value = room.level_db ?? -60;
  press(there.querySelector(".listen"), room.listening, room.listening ? "bar.stop" : "bar.start", room.name);
  press(there.querySelector(".blank"), room.blank, room.blank ? "rooms.show" : "rooms.blank", room.name);
  const wrong = there.querySelector(".wrong");
  const notices = (room.notices ?? []).map(sentence);
  if (wrong.innerText !== notices.join("\n")) {
    wrong.replaceChildren(...notices.map((notice) => Object.assign(document.createElement("li"), { textContent: notice })));
  }
}

// Items stay as long as their rooms: who has one in focus keeps it.
function show(rooms, operator, presents) {
  const list = byId("rooms");
  const names = rooms.map(({ name }) => name);
  for (const old of [...list.children]) if (!names.includes(old.dataset.room)) old.remove();
  rooms.forEach((room, place) => {
    let there = [...list.children].find(({ dataset }) => dataset.room === room.name);
    if (!there) list.insertBefore(there = item(room), list.children[place] ?? null);
    there.dataset.state = room.state;
    // Only to read: an address that phones get by the room's own code, too. An operator presents.
    there.querySelector("a").href = `room/${encodeURIComponent(room.name)}/${presents ? "" : "read"}`;
    setText(there.querySelector(".state"), sentence(room));
    there.querySelector(".operated").hidden = !operator;
    if (operator) showOperated(there, room);
  });
  setText(byId("rooms-how"), t(operator ? "rooms.operate" : "rooms.how"));
}

function tell(text) {
  byId("rooms-none").hidden = !text;
  setText(byId("rooms-none"), text);
}

let refused = ""; // why this browser is no operator's
async function look() {
  let every = LOOK_MS.reader;
  try {
    const answer = await fetch("rooms.json", { signal: until() });
    if (!answer.ok) throw new Error(String(answer.status));
    const { rooms, operator, presents } = await answer.json();
    if (operator) every = LOOK_MS.operator;
    show(rooms, operator, presents);
    tell((!operator && refused) || (rooms.length ? "" : t("rooms.none")));
  } catch {
    tell(t("rooms.failed")); // what was known stays
  }
  setTimeout(look, every);
}

// The code of an operator's link stands behind the mark, which browsers send to nobody.
async function operate() {
  if (!location.hash.startsWith(MARK)) return;
  const code = location.hash.slice(MARK.length);
  const answer = await fetch("operate", { method: "POST", body: code, signal: until() }).catch(() => null);
  if (answer?.ok || answer?.status === 403) history.replaceState(null, "", location.pathname);
  if (!answer?.ok) refused = answer?.status === 403 ? sentence(await answer.json()) : t("rooms.failed");
}

settings.load(languages);
paint();
light.addEventListener("change", paint);
await load(settings.get("language"), languages);
await operate();
look();

// A link that is opened in this very window does not load the page anew by itself.
addEventListener("hashchange", () => { if (location.hash.startsWith(MARK)) location.reload(); });
