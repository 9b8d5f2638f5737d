// What a page without words says, as large as words: what will appear, or why nothing can.

import { setText, t } from "./words.js";

const WAITING = ["connecting", "loading", "ready", "listening"];
const FAILED = ["lost", "error", "offline"];
const byId = (id) => document.getElementById(id);

// The key of what stands large, or none where there are words.
function mainKey({ state, code, engine, quiet, empty, blank, presenter, facing, recording }) {
  if (blank) return presenter ? "blank.presenter" : "blank";
  if (!empty) return "";
  if (state === "listening" && quiet && presenter) return "quiet";
  if (state === "error" && !engine) return "error.start";
  if (FAILED.includes(state)) return code === "lost.stuck" ? code : state;
  if (!WAITING.includes(state)) return "";
  if (!["ready", "listening"].includes(state)) return state;
  if (facing) return `${state}.facing`;
  if (!presenter) return `${state}.reader`;
  if (!recording) return state;
  return state === "ready" ? "ready.recording" : "listening.reader"; // nobody is to speak
}

// What stands below it, smaller; never what the bar says already.
function more({ state, presenter, own }, key) {
  if (!key || key.startsWith("blank")) return "";
  if (FAILED.includes(state)) return presenter || state === "offline" ? "" : t("hint.more.failed");
  if (state === "ready") return presenter ? t("hint.more.ready", { display: t("bar.settings") }) : own ? t("hint.more.own") : "";
  return "";
}

// `own`: at the computer itself, where whoever runs the program may become the presenter.
export function showHint(now) {
  const key = mainKey(now);
  setText(byId("hint"), key && t(`hint.${key}`));
  setText(byId("hint-more"), more(now, key));
  byId("first").hidden = !key;
}
