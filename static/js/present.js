// A link of the program makes this browser the presenter's: the code behind # is taken once.

import { sentence, t } from "./words.js";

const MARK = "#present=";
const PATIENCE_MS = 5000;
const AGAIN_MS = 24 * 3600 * 1000;

// Hand the code in; tell what was answered where it was not taken.
export async function present() {
  if (!location.hash.startsWith(MARK)) return "";
  const answer = await hand(location.hash.slice(MARK.length));
  if (!answer) return t("status.offline"); // the code stays, for another try
  history.replaceState(null, "", location.pathname + location.search);
  return answer.ok ? "" : sentence(await answer.json());
}

// A page that presents lets its browser do so for longer.
let keeping = 0;
export function keep() {
  if (keeping) return;
  hand("");
  keeping = setInterval(() => hand(""), AGAIN_MS);
}

// A link that is opened in this very window does not load the page anew by itself.
addEventListener("hashchange", () => { if (location.hash.startsWith(MARK)) location.reload(); });

function hand(code) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return fetch("present", { method: "POST", body: code, signal }).catch(() => null);
}
