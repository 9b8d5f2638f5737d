"use strict";

// The server decides what is going on; this page shows it and sends button presses.
{
  const MAX_LINES = 500;
  const NEAR_END_PX = 48;
  const CONNECTION_LOST = "Connection to the program is lost. Trying again…";
  const TEXT_SCALES = [0.5, 0.63, 0.8, 1, 1.25, 1.6, 2];
  const HINTS = {
    loading: "Getting ready…",
    ready: "Press Start and speak.",
    listening: "Speak now. Your words will appear here.",
    quiet: "No sound yet. Is the microphone on?",
  };
  // Each label as a word that says how the speaker sounds.
  const TONES = { fear: "afraid", disgust: "disgusted" };

  const byId = (id) => document.getElementById(id);
  const record = byId("record");
  const level = byId("level");
  const progress = byId("progress");
  const back = byId("back");
  const lines = byId("captions").querySelector("ol");
  const live = byId("live");
  const growing = live.appendChild(new Text(""));

  let current = { state: "loading", message: "", engine: "", progress: null, session: null, advice: null, quiet: false };
  let growingSegment = -1;
  let newestFinal = -1;
  let following = true;
  let textScale = 1;

  // Live regions speak on every change, so an equal text is not written again.
  function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function showStatus(status) {
    current = status;
    const { state, message, engine, advice } = status;
    const failed = ["lost", "error", "offline"].includes(state);
    const recording = state === "listening" || state === "lost";

    document.body.dataset.state = state;
    document.body.toggleAttribute("data-quiet", state === "listening" && status.quiet);
    byId("status").dataset.state = state;
    byId("status").setAttribute("aria-hidden", failed); // the alert says it already
    setText(byId("status"), message);
    setText(byId("alert"), failed ? message : "");
    setText(byId("onair"), failed ? "Not live" : state === "listening" ? "Live" : "");
    setText(byId("engine"), engine);

    setText(record, recording ? "Stop" : "Start");
    record.setAttribute("aria-pressed", recording);
    // An error after the engine was loaded can be tried again; one before it cannot.
    record.disabled = state === "loading" || state === "offline" || (state === "error" && !engine);

    level.hidden = state !== "listening";
    showProgress(state === "loading", status.progress);
    showAdvice(advice);
    showHint();
    follow();
  }

  function showProgress(loading, fraction) {
    progress.hidden = !loading;
    if (fraction === null) progress.removeAttribute("value");
    else progress.value = fraction;
  }

  function showAdvice(advice) {
    byId("advice").hidden = !advice;
    setText(byId("advice-text"), advice?.text ?? "");
    setText(byId("advice-command"), advice?.command ?? "");
  }

  function showHint() {
    const empty = !lines.firstElementChild && !growing.data;
    const { state, quiet } = current;
    setText(byId("hint"), (empty && HINTS[state === "listening" && quiet ? "quiet" : state]) || "");
  }

  function showCaption({ segment, text, final, emotion }) {
    if (final) finish(segment, text, emotion);
    else grow(segment, text, emotion);
    showHint();
    follow();
  }

  function grow(segment, text, emotion) {
    if (segment < growingSegment || segment <= newestFinal) return;
    growingSegment = segment;
    // Only the part that differs is touched, so that text being read stays still.
    const old = growing.data;
    let same = 0;
    while (same < old.length && old[same] === text[same]) same += 1;
    if (same < old.length) growing.replaceData(same, old.length - same, text.slice(same));
    else if (same < text.length) growing.appendData(text.slice(same));
    tagLive(text && emotion ? emotion.label : "");
  }

  // The tag follows the last word, as it will when the line is finished.
  function tagLive(label) {
    if (live.dataset.emotion === label) return;
    while (growing.nextSibling) growing.nextSibling.remove();
    tagLine(live, label);
  }

  function clearLive() {
    growing.data = "";
    tagLive("");
  }

  function finish(segment, text, emotion) {
    newestFinal = Math.max(newestFinal, segment);
    if (growingSegment <= segment) clearLive();
    if (!text.trim()) return;

    // A reconnection sends past lines again: keep those that stand, put missed ones in their place.
    let before = lines.lastElementChild;
    while (before && Number(before.dataset.segment) > segment) before = before.previousElementSibling;
    if (before && Number(before.dataset.segment) === segment) return;
    const line = makeLine(segment, text, emotion);
    if (before) before.after(line);
    else lines.prepend(line);
    while (lines.childElementCount > MAX_LINES) lines.firstElementChild.remove();
  }

  function makeLine(segment, text, emotion) {
    const line = document.createElement("li");
    line.className = "caption";
    line.dataset.segment = segment;
    line.append(text);
    tagLine(line, emotion?.label ?? "");
    return line;
  }

  function tagLine(line, label) {
    line.dataset.emotion = label;
    if (label) line.append(" ", makeTag(label));
  }

  function makeTag(label) {
    const tag = document.createElement("span");
    tag.className = "tone";
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    icon.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `#tone-${label}`);
    icon.append(use);
    tag.append("[", icon, `${TONES[label] ?? label}]`);
    return tag;
  }

  function clear() {
    lines.replaceChildren();
    clearLive();
    growingSegment = -1;
    newestFinal = -1;
    following = true;
  }

  function follow() {
    if (following) window.scrollTo(0, document.documentElement.scrollHeight);
  }

  function noteScroll() {
    const page = document.documentElement;
    following = page.scrollHeight - window.innerHeight - window.scrollY <= NEAR_END_PX;
    back.hidden = following;
  }

  // Storage may be refused; captions must come all the same.
  function recall(key) {
    try { return localStorage.getItem(key); } catch { return null; }
  }

  function remember(key, value) {
    try { localStorage.setItem(key, value); } catch { /* it holds until the page closes */ }
  }

  function scaleText(scale) {
    textScale = TEXT_SCALES.includes(scale) ? scale : 1;
    document.documentElement.style.setProperty("--text-scale", textScale);
    follow();
  }

  function stepText(step) {
    const index = TEXT_SCALES.indexOf(textScale) + step;
    scaleText(TEXT_SCALES[Math.min(Math.max(index, 0), TEXT_SCALES.length - 1)]);
    remember("text-scale", textScale);
  }

  function showTones(shown) {
    document.body.toggleAttribute("data-plain", !shown);
    byId("tones").setAttribute("aria-pressed", shown);
    follow();
  }

  scaleText(Number(recall("text-scale")));
  showTones(recall("tones") !== "false");
  byId("smaller").addEventListener("click", () => stepText(-1));
  byId("larger").addEventListener("click", () => stepText(1));
  byId("tones").addEventListener("click", () => {
    const shown = document.body.hasAttribute("data-plain");
    showTones(shown);
    remember("tones", shown);
  });

  window.addEventListener("scroll", noteScroll, { passive: true });
  new ResizeObserver(follow).observe(document.body);
  window.addEventListener("resize", follow);
  back.addEventListener("click", () => {
    following = true;
    follow();
  });

  const socket = io({ transports: ["websocket"], reconnectionDelayMax: 2000 });
  const showOffline = () => showStatus({ ...current, state: "offline", message: CONNECTION_LOST });

  socket.on("status", (status) => {
    if (current.session !== null && status.session !== current.session) clear();
    showStatus(status);
  });
  socket.on("caption", showCaption);
  socket.on("level", ({ db }) => { level.value = db; });
  socket.on("connect_error", showOffline);
  socket.on("disconnect", (reason) => {
    showOffline();
    // The client retries by itself unless the server closed the connection on purpose.
    if (reason === "io server disconnect") socket.connect();
  });

  record.addEventListener("click", (event) => {
    if (event.detail > 1) return; // the second half of a double press would undo the first
    socket.emit(record.getAttribute("aria-pressed") === "true" ? "stop" : "start");
  });
}
