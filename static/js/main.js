// The page: the server decides what is going on; this shows it and sends what people press.

import { Answer } from "./answer.js";
import { Captions } from "./captions.js";
import { Device } from "./device/device.js";
import * as facing from "./device/facing.js";
import * as fullscreen from "./device/fullscreen.js";
import * as dialogs from "./dialogs.js";
import { Display } from "./display.js";
import { Find } from "./find.js";
import { Follow } from "./follow.js";
import { History } from "./history.js";
import { Jump } from "./jump.js";
import * as keys from "./keys.js";
import { Mend } from "./mend.js";
import { Notices } from "./notices.js";
import * as named from "./named.js";
import * as offending from "./offending.js";
import * as overlay from "./overlay.js";
import * as panel from "./panel.js";
import * as phone from "./phone.js";
import * as present from "./present.js";
import { Room } from "./room.js";
import * as seen from "./seen.js";
import * as settings from "./settings.js";
import { Setup } from "./setup/setup.js";
import { Status } from "./status.js";
import { Timeline } from "./timeline.js";
import * as translation from "./translation.js";
import { Wire } from "./wire.js";
import * as words from "./words.js";

const REFUSAL_MS = 8000;
const READING = overlay.on || facing.on || location.pathname.endsWith("/read"); // only to read, on the presenter's computer too

const byId = (id) => document.getElementById(id);
const languages = Object.keys(JSON.parse(document.body.dataset.languages));

settings.load(languages);
overlay.prepare();
facing.prepare();
await words.load(settings.get("language"), languages);

const refusedLink = await present.present();

const captions = new Captions(byId("lines"), byId("live"));
const follow = new Follow(byId("view"), byId("back"));
const display = new Display(captions, follow);
const timeline = new Timeline();

let session = null;
let clears = 0; // of this session's lines, that this page knows of
let away = false; // until the program greets this page again
let room = { presenter: false, blank: false, emotion: true, saving: null, reader_url: null, phrases: [] };

function clear() {
  captions.clear();
  timeline.clear();
  find.show();
  follow.toEnd();
  status.setEmpty(true);
}

function endSession() {
  follow.look();
  captions.endSession();
  device.endSession();
  timeline.clear();
  follow.keep();
}

// Lines up to this segment are not sent again: a page that was away marks where they are missing.
function leaveOut(segment) {
  follow.look();
  captions.missed(segment);
  follow.keep();
}

let calming = 0;
function showRefusal(message) {
  const refusal = byId("refusal");
  // Behind an open window nobody would see it, nor hear it.
  const place = dialogs.topmost() ?? document.querySelector(".foot");
  if (refusal.parentElement !== place) place.append(refusal);
  words.setText(refusal, message);
  refusal.hidden = false;
  clearTimeout(calming);
  calming = setTimeout(() => { refusal.hidden = true; }, REFUSAL_MS);
}

const wire = new Wire({
  status(event) {
    if (session !== null && event.session !== session) endSession();
    else if (away && event.clears !== clears) clear();
    if (typeof event.left_out === "number") leaveOut(event.left_out);
    device.setState(event.state, away || session === null);
    away = false;
    ({ session, clears } = event);
    status.show(event);
  },
  caption(event) {
    follow.look();
    const added = captions.show(event, follow.following);
    follow.keep(added);
    device.heard(event);
    seen.take(event);
    timeline.add(event);
    if (event.final) find.show();
    status.setEmpty(captions.empty);
  },
  level({ db }) { byId("level").value = db; },
  room(event) {
    room = { ...event, presenter: event.presenter && !READING };
    if (event.presenter) present.keep();
    controls.show(room);
    status.setRoom(room);
    answer.setRoom(room);
    setup.setRoom(room);
    named.show(room);
    device.setRoom(room);
    history.setRoom(room);
    mend.setRoom(room);
    phone.show(room);
    if (room.emotion === false) captions.calm(!room.text_emotion);
    seen.setRoom(room);
    timeline.setOn(room.emotion !== false);
    if (room.language) captions.setLanguage(room.language);
    offending.setRoom(room.offending);
    if (translation.setRoom(room.translations)) panel.show(display);
    display.layOut();
    shorten();
  },
  answer({ text }) {
    answer.setElsewhere(text);
    device.answer(text);
  },
  cleared() {
    clears += 1;
    clear();
  },
  refused: showRefusal,
  offline(reason) {
    away = true;
    if (room.blank) clear(); // whoever comes back may find the screens shown again
    device.setState("offline");
    status.offline(reason);
  },
});

const answer = new Answer(wire);
const device = new Device(follow, overlay.on);
const jump = new Jump(captions, follow);
const find = new Find(captions, jump);
const mend = new Mend(captions, follow, wire);
const history = new History(wire);
const notices = new Notices(() => wire.ask("fetch"));
const status = new Status(READING, notices, (told) => answer.take(told));
const controls = new Room(wire, status);
const setup = new Setup(wire);
wire.socket.on("setup", ({ recording }) => status.setRecording(recording));

dialogs.prepare();
panel.prepare(display);
const plain = () => settings.set("plain", !settings.get("plain"));
byId("plain").addEventListener("click", plain);
keys.prepare({
  isPresenter: () => room.presenter,
  actions: { p: plain, w: fullscreen.toggle, End: () => follow.toEnd() },
  presenterActions: { r: () => controls.record(), b: () => controls.blank(), c: () => controls.clear() },
});

async function reword() {
  await words.load(settings.get("language"), languages);
  offending.link();
  captions.reword();
  follow.reword();
  controls.reword();
  answer.reword();
  setup.reword();
  named.show(room);
  device.reword();
  find.show();
  jump.reword();
  history.load();
  phone.show(room);
  timeline.draw();
  status.reword();
  panel.show(display);
}

// Words that offend come from the server, once they are asked for.
async function shorten() {
  offending.link();
  if (await offending.fetchWords()) display.layOut();
  timeline.draw();
}

settings.onChange(async (name) => {
  if (name === "language") await reword();
  display.apply();
  if (name === "offending") await shorten();
  if (["emotion", "wording", "sounds"].includes(name)) timeline.draw();
  panel.show(display);
});
window.addEventListener("resize", () => panel.show(display));

display.apply();
device.reword();
controls.reword();
status.reword();
panel.show(display);
if (refusedLink) showRefusal(refusedLink);
