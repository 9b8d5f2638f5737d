// The page's own sentences, from static/words/CODE.json: one file is one language.

const FALLBACK = "en";
let words = {};
let language = FALLBACK;
let plurals = new Intl.PluralRules(FALLBACK);

const fetched = new Map();

async function fetchWords(code) {
  if (!fetched.has(code)) {
    const answer = await fetch(new URL(`../words/${code}.json`, import.meta.url));
    if (!answer.ok) throw new Error(`no words for ${code}: ${answer.status}`);
    fetched.set(code, await answer.json());
  }
  return fetched.get(code);
}

// The first language of the browser that the page has words for.
function preferred(available) {
  const asked = navigator.languages.map((tag) => tag.toLowerCase());
  for (const tag of asked) {
    const found = available.find((code) => code.toLowerCase() === tag) ??
      available.find((code) => code.toLowerCase() === tag.split("-")[0]);
    if (found) return found;
  }
  return FALLBACK;
}

export async function load(choice, available) {
  const code = choice === "auto" ? preferred(available) : choice;
  const fallback = await fetchWords(FALLBACK);
  words = { ...fallback, ...(await fetchWords(code).catch(() => ({}))) };
  language = code;
  plurals = new Intl.PluralRules(code);
  const root = document.documentElement;
  root.lang = code;
  root.dir = words["language.direction"] ?? "ltr";
  document.title = `${t("page.title")} – RecognitionHelpers`;
  apply(document);
}

// The keys that begin so, of the language's own words.
export const keysOf = (start) => Object.keys(words).filter((key) => key.startsWith(start));
export const has = (key) => key in words;
export const currentLanguage = () => language;

// The name of a language in another one: that of the page, if not said otherwise.
export function languageName(code, within = language) {
  try {
    return new Intl.DisplayNames([within], { type: "language" }).of(code);
  } catch {
    return code;
  }
}

// The sentence of a key, with its values put in; with a `count`, in its plural form.
export function t(key, values = {}) {
  const sentence = words[`${key}.${plurals.select(values.count ?? 0)}`] ?? words[`${key}.other`] ?? words[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// The program knows languages by their codes; one or several stand in these values.
const LANGUAGES = ["language", "source", "targets"];

// A sentence that the server named by code; its own English where the page has none.
export function sentence({ code, values, message }) {
  if (!code || !has(`status.${code}`)) return message ?? "";
  const named = { ...values };
  for (const name of LANGUAGES) if (name in named) named[name] = named[name].split(", ").map((one) => languageName(one)).join(", ");
  return t(`status.${code}`, named);
}

// Names of models and files are long and have no gaps: a row may end behind an underscore.
function broken(text) {
  const parts = text.match(/[^_]+_*|_+/g) ?? [];
  return parts.flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part]));
}

// Live regions speak on every change, so an equal text is not written again.
export function setText(element, text) {
  if (element.textContent !== text) element.replaceChildren(...broken(text));
}

export function apply(root) {
  for (const element of root.querySelectorAll("[data-words]")) {
    setText(element, t(element.dataset.words, { minutes: element.dataset.wordsMinutes }));
  }
  for (const element of root.querySelectorAll("[data-words-label]")) {
    element.setAttribute("aria-label", t(element.dataset.wordsLabel));
  }
  for (const element of root.querySelectorAll("[data-words-placeholder]")) {
    element.placeholder = t(element.dataset.wordsPlaceholder);
  }
}
