// The name of the room, where it has one, on every page.

import { setText, t } from "./words.js";

export function show({ name = "" }) {
  const place = document.getElementById("room-name");
  place.hidden = !name;
  setText(place, name);
  document.title = [name || t("page.title"), "RecognitionHelpers"].join(" – ");
}
