// What a program guesses of a line: how it was said, as a face and its word, and what its words say,
// which is something else, and looks so: quotation marks, and no face.

import { icon } from "./parts.js";
import { currentLanguage, has, t } from "./words.js";

const emotionWord = (label) => (has(`emotion.${label}`) ? t(`emotion.${label}`) : label);

function image(kind, name) {
  const tag = document.createElement("span");
  tag.className = kind;
  tag.lang = currentLanguage();
  tag.setAttribute("role", "img");
  tag.setAttribute("aria-label", name);
  return tag;
}

function word(text) {
  const span = document.createElement("span");
  span.append(text);
  return span;
}

// A face and its word, filled where the program is sure, hollow and with a question mark where the
// feeling is only likely. The face itself is drawn by the style sheet.
export function feeling({ label, grade = "sure" }) {
  const likely = grade === "likely";
  const name = emotionWord(label);
  const tag = image("feeling", likely ? t("emotion.likely.name", { word: name }) : name);
  tag.dataset.emotion = label;
  tag.dataset.grade = grade;
  tag.append(icon(`tone-${label}`), word(likely ? t("emotion.likely", { word: name }) : name));
  return tag;
}

// In the words that exports have for it.
export function wording({ label }) {
  const name = emotionWord(label);
  const tag = image("wording", t("wording.name", { feeling: name }));
  tag.append(icon("icon-wording"), word(t("export.words", { feeling: name })));
  return tag;
}
