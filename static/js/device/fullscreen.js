// The page on the whole screen, where the browser can do that.

import { setText, t } from "../words.js";

const button = document.getElementById("fullscreen");

export const toggle = () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.({ navigationUI: "hide" }).catch(() => {}); // a hand must ask
};

export function prepare() {
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", toggle);
  document.addEventListener("fullscreenchange", reword);
}

export function reword() {
  setText(button, t(document.fullscreenElement ? "fullscreen.end" : "fullscreen"));
}
