// The same captions on a phone: a code to point the camera at, or what the operator must do first.

import { setText, t } from "./words.js";

const byId = (id) => document.getElementById(id);

export function show({ reader_url: url }) {
  byId("phone-ready").hidden = !url;
  byId("phone-none").hidden = Boolean(url);
  const code = byId("phone-code");
  if (!url) {
    code.removeAttribute("src");
    return;
  }
  const source = `qr.svg?${new URLSearchParams({ for: url })}`; // another link is another picture
  if (code.getAttribute("src") !== source) code.src = source;
  code.alt = t("phone.code", { url });
  setText(byId("phone-url"), url);
}
